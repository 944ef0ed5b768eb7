using NanoAspire.Engine.Execution;
using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>Σ weight · expert(h) over the experts a token chose, plus the shared ones.</summary>
internal sealed class Mixture : IFeedForward
{
    private readonly MixtureConfig _config;
    private readonly IKernels _kernels;
    private readonly Matrix _router;
    private readonly Tensor? _bias;
    private readonly ExpertTable _table;
    private readonly Matrix[] _gateUp, _down;
    private readonly SwiGlu? _shared;

    /// <param name="config">Checked.</param>
    /// <param name="kernels">Compute.</param>
    /// <param name="weights">Holds either one set of tensors an expert or one tensor with all of them.</param>
    /// <param name="prefix">Of the block, with its dot.</param>
    /// <param name="hidden">Columns of the stream.</param>
    /// <param name="vocabulary">Token ids, for a table.</param>
    public unsafe Mixture(MixtureConfig config, IKernels kernels, WeightReader weights, string prefix, int hidden, int vocabulary)
    {
        (_config, _kernels) = (config, kernels);
        var (count, size, names, experts) = (config.Router.Experts, config.ExpertSize, config.Experts, prefix + "experts.");
        _router = weights.Matrix(hidden, (prefix + "gate.weight", count));
        if (config.Bias is not null) _bias = weights.Vector(prefix + config.Bias, count);
        if (config.Table is not null) _table = new(weights.Indices(prefix + config.Table, vocabulary, config.Router.TopK, count), config.Router.TopK);
        if (weights.Has(experts + "gate_up_proj") || weights.Has(experts + "down_proj"))
        {
            _gateUp = weights.Stacked(experts + "gate_up_proj", count, 2 * size, hidden, config.InputsFirst);
            _down = weights.Stacked(experts + "down_proj", count, hidden, size, config.InputsFirst);
        }
        else
        {
            (_gateUp, _down) = (new Matrix[count], new Matrix[count]);
            for (var e = 0; e < count; e++)
            {
                _gateUp[e] = weights.Matrix(hidden, ($"{experts}{e}.{names.Gate}", size), ($"{experts}{e}.{names.Up}", size));
                _down[e] = weights.Matrix(size, ($"{experts}{e}.{names.Down}", hidden));
            }
        }
        if (config.SharedSize == 0) return;
        var scale = config.SharedGate is null ? null : prefix + config.SharedGate;
        _shared = new(kernels, weights, prefix + config.SharedPrefix, hidden, config.SharedSize, names, scale, config.Limit);
    }

    public void AddTo(Tensor x, Tensor h, StepInput step, Workspace workspace)
    {
        using (var frame = workspace.Enter())
        {
            var (k, size) = (_kernels, _config.ExpertSize);
            var logits = k.Linear(h, _router, frame);
            var routes = new ExpertRoutes(frame, h.Rows, _config.Router.TopK, _config.Router.Experts);
            if (_table.IsEmpty) k.Route(logits, _bias, _config.Router, routes);
            else k.Route(logits, _table, step, _config.Router, routes);

            var rows = frame.Tensor(routes.Rows, h.Columns);                 // [tokens · topK, hidden] by expert
            k.GatherExperts(h, routes, rows);
            var gateUp = k.ExpertLinear(rows, _gateUp, routes, frame);
            var gated = k.SiluMul(gateUp.Slice(0, size), gateUp.Slice(size, size), frame, _config.Limit);
            k.ExpertLinear(gated, _down, routes, into: rows);
            k.CombineExperts(rows, routes, into: x);
        }
        _shared?.AddTo(x, h, step, workspace);
    }
}
