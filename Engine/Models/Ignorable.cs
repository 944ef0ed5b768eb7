namespace NanoAspire.Engine.Models;

/// <summary>Kinds of tensors that a checkpoint may hold and a model leave alone, each named in one place.</summary>
internal static class Ignorable
{
    /// <summary>Frequency tables that old exporters wrote; they follow from the configuration.</summary>
    public static bool RotaryTable(string tensor) => tensor.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal);

    /// <summary>The module that drafts further tokens, where it is a part of its own.</summary>
    public static bool Drafting(string tensor) => tensor.StartsWith("mtp.", StringComparison.Ordinal);

    /// <summary>The vision tower of a model that is used for text.</summary>
    public static bool Vision(string tensor) => tensor.StartsWith("model.visual.", StringComparison.Ordinal);
}
