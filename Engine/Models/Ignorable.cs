using System.Globalization;

namespace NanoAspire.Engine.Models;

/// <summary>Kinds of tensors that a checkpoint may hold and a model leave alone, each named in one place.</summary>
internal static class Ignorable
{
    /// <summary>Frequency tables that old exporters wrote; they follow from the configuration.</summary>
    public static bool RotaryTable(string tensor) => tensor.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal);

    /// <summary>The number of the layer that <c>model.layers.N.…</c> belongs to; null for any other name.</summary>
    public static int? LayerOf(string tensor)
    {
        const string Prefix = "model.layers.";
        if (!tensor.StartsWith(Prefix, StringComparison.Ordinal)) return null;
        var rest = tensor.AsSpan(Prefix.Length);
        var dot = rest.IndexOf('.');
        return dot > 0 && (rest[0] != '0' || dot == 1) && int.TryParse(rest[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out var layer) ? layer : null;
    }

    /// <summary>The module that drafts further tokens, where it is a part of its own.</summary>
    public static bool Drafting(string tensor) => tensor.StartsWith("mtp.", StringComparison.Ordinal);

    /// <summary>The vision tower of a model that is used for text.</summary>
    public static bool Vision(string tensor) => tensor.StartsWith("model.visual.", StringComparison.Ordinal);
}
