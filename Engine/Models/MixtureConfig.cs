using NanoAspire.Engine.Kernels;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Models;

/// <summary>A mixture of experts: shapes and routing, and what the checkpoint calls its tensors.</summary>
internal sealed record MixtureConfig
{
    private const int MaxExperts = 16384;

    public required RouterConfig Router { get; init; }
    /// <summary>Inner columns of one expert.</summary>
    public required int ExpertSize { get; init; }
    /// <summary>Inner columns of the experts that serve every token, together; 0 for none.</summary>
    public int SharedSize { get; init; }
    /// <summary>On gate and up of every expert.</summary>
    public float Limit { get; init; } = float.PositiveInfinity;
    public ExpertNames Experts { get; init; } = ExpertNames.Default;
    /// <summary>Stacked tensors are [experts, inputs, outputs], not [experts, outputs, inputs].</summary>
    public bool InputsFirst { get; init; }
    /// <summary>After the block's prefix.</summary>
    public string SharedPrefix { get; init; } = "shared_experts.";
    /// <summary>A sigmoid gate on the shared experts; null for none.</summary>
    public string? SharedGate { get; init; }
    /// <summary>Correction bias of the choice; null for none.</summary>
    public string? Bias { get; init; }
    /// <summary>Table of experts by token id, of layers that do not choose; null for layers that do.</summary>
    public string? Table { get; init; }

    /// <summary>How many experts there are, by either of its names.</summary>
    public static int ReadCount(ConfigSection config, string field, string alias)
    {
        var (count, other) = (config.OptionalPositiveInt(field), config.OptionalPositiveInt(alias));
        if (count is not null && other is not null && count != other) throw config.Bad(alias, $"({other}) is not {field} ({count})");
        return count ?? other ?? throw config.Bad(field, "is missing");
    }

    /// <summary>Refuses what no token could choose from.</summary>
    public MixtureConfig Check(ConfigSection config, string experts, string topK)
    {
        var r = Router;
        if (r.Experts > MaxExperts) throw config.Bad(experts, $"({r.Experts}) is more than {MaxExperts}");
        if (r.TopK > r.Experts) throw config.Bad(topK, $"({r.TopK}) is more than {experts} ({r.Experts})");
        if (r.Experts % r.Groups != 0) throw config.Bad("n_group", $"({r.Groups}) does not divide {experts} ({r.Experts})");
        if (r.TopGroups > r.Groups) throw config.Bad("topk_group", $"({r.TopGroups}) is more than n_group ({r.Groups})");
        if (r.TopK > r.Experts / r.Groups * r.TopGroups) throw config.Bad(topK, $"({r.TopK}) is more than the experts of topk_group groups ({r.Experts / r.Groups * r.TopGroups})");
        return this;
    }
}
