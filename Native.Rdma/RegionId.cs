using System.Globalization;

namespace NanoAspire.Native.Rdma;

/// <summary>
/// Names one registration of memory within one incarnation of a <see cref="RegionRegistry"/>. A slot that is used again
/// gets a new generation, so a stale id never reaches the memory that took its place.
/// </summary>
public readonly record struct RegionId(uint Slot, uint Generation)
{
    /// <summary><c>slot.generation</c>, both decimal.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Slot}.{Generation}");

    public static bool TryParse(string? text, out RegionId id)
    {
        id = default;
        var dot = text?.IndexOf('.', StringComparison.Ordinal) ?? -1;
        if (dot <= 0
            || !uint.TryParse(text.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out var slot)
            || !uint.TryParse(text.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var generation))
        {
            return false;
        }
        id = new(slot, generation);
        return true;
    }
}
