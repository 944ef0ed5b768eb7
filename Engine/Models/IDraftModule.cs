using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels;

namespace NanoAspire.Engine.Models;

/// <summary>A loaded multi-token prediction module: one layer of its model, fed with the token that follows a place and the model's output for it.</summary>
internal interface IDraftModule
{
    /// <summary>Columns of a hidden row.</summary>
    int HiddenSize { get; }

    /// <param name="step">Tokens that follow the places.</param>
    /// <param name="hidden">[tokens, hidden]: the model's final norm of each place, or this module's output.</param>
    /// <param name="kv">The module's planes alone.</param>
    /// <param name="workspace">Temporaries.</param>
    /// <param name="output">[rows asked for, hidden], normed, as the head saw them.</param>
    /// <param name="logits">[rows asked for, vocabulary]</param>
    void Forward(StepInput step, Tensor hidden, KvArena kv, Workspace workspace, Tensor output, Tensor logits);
}
