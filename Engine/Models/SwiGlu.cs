using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>Down · (silu(Gate·h) ⊙ Up·h)</summary>
internal sealed class SwiGlu : IFeedForward
{
    private readonly IKernels _kernels;
    private readonly Matrix _gateUp, _down;
    private readonly Matrix? _scale;
    private readonly float _limit;

    /// <param name="kernels">Compute.</param>
    /// <param name="weights">To read from.</param>
    /// <param name="prefix">Of the tensors, with its dot.</param>
    /// <param name="hidden">Columns of the stream.</param>
    /// <param name="size">Inner columns.</param>
    /// <param name="names">Null for gate_proj, up_proj, down_proj.</param>
    /// <param name="scale">Tensor [1, hidden] whose product with h, through a sigmoid, scales the result; null for none.</param>
    /// <param name="limit">On gate and up.</param>
    public SwiGlu(IKernels kernels, WeightReader weights, string prefix, int hidden, int size, ExpertNames? names = null, string? scale = null, float limit = float.PositiveInfinity)
    {
        names ??= ExpertNames.Default;
        (_kernels, _limit) = (kernels, limit);
        _gateUp = weights.Matrix(hidden, (prefix + names.Gate, size), (prefix + names.Up, size));
        _down = weights.Matrix(size, (prefix + names.Down, hidden));
        if (scale is not null) _scale = weights.Matrix(hidden, (scale, 1));
    }

    public void AddTo(Tensor x, Tensor h, StepInput step, Workspace workspace)
    {
        using var frame = workspace.Enter();
        var gateUp = _kernels.Linear(h, _gateUp, frame);
        var size = gateUp.Columns / 2;
        var gated = _kernels.SiluMul(gateUp.Slice(0, size), gateUp.Slice(size, size), frame, _limit);
        if (_scale is not null) _kernels.SigmoidScale(_kernels.Linear(h, _scale, frame), gated);   // before Down: fewer columns, and Down is linear
        _kernels.LinearAdd(gated, _down, into: x);
    }
}

/// <summary>What a family calls the three matrices of an expert.</summary>
internal sealed record ExpertNames(string Gate, string Up, string Down)
{
    public static ExpertNames Default { get; } = new("gate_proj.weight", "up_proj.weight", "down_proj.weight");
}
