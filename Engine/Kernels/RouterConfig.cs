namespace NanoAspire.Engine.Kernels;

/// <summary>What a router's logit becomes before experts are compared by it.</summary>
internal enum RouterScore
{
    /// <summary>e^x / Σ e^x over all experts.</summary>
    Softmax,
    /// <summary>1 / (1 + e^-x)</summary>
    Sigmoid,
    /// <summary>√ln(1 + e^x)</summary>
    SqrtSoftplus,
}

/// <summary>
/// How a token chooses its experts: the <see cref="TopK"/> best by score + correction bias, within the best <see cref="TopGroups"/> of
/// <see cref="Groups"/> groups where there are several; a group is worth its two best members. Equal values go to the lower index. The weights
/// are the scores without the bias.
/// </summary>
internal sealed record RouterConfig
{
    public required RouterScore Score { get; init; }
    public required int Experts { get; init; }
    public required int TopK { get; init; }
    public int Groups { get; init; } = 1;
    public int TopGroups { get; init; } = 1;
    /// <summary>Divide the chosen scores by their sum.</summary>
    public required bool Normalise { get; init; }
    /// <summary>Factor on the weights, last of all.</summary>
    public float Scale { get; init; } = 1;
}
