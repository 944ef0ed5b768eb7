namespace NanoAspire.Engine.Loading;

/// <summary>
/// The most that a configuration may ask for: far more than any published model has, and so little that products of heads and columns are
/// ints and that walks over layers and lists end.
/// </summary>
internal static class ConfigLimits
{
    public const int Layers = 4096;
    public const int Heads = 1 << 14;
    /// <summary>Columns of a head, and ranks that are multiplied by a number of heads or groups.</summary>
    public const int HeadDim = 1 << 14;
    /// <summary>Of streams, latents and inner activations.</summary>
    public const int Columns = 1 << 20;
    public const int SharedExperts = 256;
    /// <summary>Positions that an indexer chooses for each token.</summary>
    public const int Chosen = 1 << 16;
    /// <summary>Of anything else: positions, the vocabulary.</summary>
    public const int Count = 1 << 30;
    /// <summary>Entries of a list.</summary>
    public const int Entries = 1 << 16;
    /// <summary>Of factors; squared it is still a float32.</summary>
    public const double Factor = 1e6;
    /// <summary>Of numbers without a limit of their own. Both are float32.</summary>
    public const double Number = 1e30, SmallestNumber = 1e-30;
}
