using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels;

namespace NanoAspire.Engine.Models;

/// <summary>A loaded multi-token prediction module: one layer of its model, fed with the token that follows a place and the model's output for it.</summary>
internal interface IDraftModule
{
    /// <summary>Columns of a hidden row, all parallel streams where there are any.</summary>
    int HiddenSize { get; }

    /// <param name="step">Tokens that follow the places.</param>
    /// <param name="hidden">[tokens, hidden]: what the model computed for each place (<see cref="IModel.Forward"/>), or this module's output.</param>
    /// <param name="kv">The module's planes alone.</param>
    /// <param name="workspace">Temporaries.</param>
    /// <param name="output">[rows asked for, hidden]: what a further draft goes on from.</param>
    /// <param name="logits">[rows asked for, vocabulary]</param>
    void Forward(StepInput step, Tensor hidden, KvArena kv, Workspace workspace, Tensor output, Tensor logits);
}
