using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>A hyper-connection: how parallel streams become the input of a layer, and its output joins them again.</summary>
/// <param name="c">Shapes.</param>
/// <param name="weights">To read from.</param>
/// <param name="prefix">Of <c>fn</c>, <c>base</c> and <c>scale</c>.</param>
/// <param name="whole">False: the last one, which only collapses.</param>
internal sealed class DeepSeekV4Hyper(DeepSeekV4Config c, WeightReader weights, string prefix, bool whole)
{
    private readonly Matrix _mix = weights.Matrix(c.Streams * c.HiddenSize, (prefix + "fn", Outputs(c, whole)));
    private readonly HyperWeights _weights = new(
        c.Streams, weights.Vector(prefix + "base", Outputs(c, whole)), weights.Vector(prefix + "scale", whole ? 3 : 1), c.HyperEpsilon, c.SinkhornIterations);

    /// <returns>The weights of the way back, and Σ pre_i · stream_i.</returns>
    public (Tensor Mix, Tensor Collapsed) Collapse(IKernels k, Tensor streams, Workspace.Frame frame)
    {
        var (mix, into) = (frame.Tensor(streams.Rows, _mix.Rows), frame.Tensor(streams.Rows, c.HiddenSize));
        var normed = frame.Tensor(streams.Rows, streams.Columns);
        k.RmsNormUnweighted(streams, streams.Columns, c.NormEpsilon, normed);
        k.Linear(normed, _mix, mix);
        k.HyperCollapse(streams, mix, _weights, into);
        return (mix, into);
    }

    private static int Outputs(DeepSeekV4Config c, bool whole) => whole ? (2 + c.Streams) * c.Streams : c.Streams;
}
