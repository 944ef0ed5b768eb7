using NanoAspire.Engine.Caching;

namespace NanoAspire.Engine.Scheduling;

/// <summary>The prompt's blocks of an ended sequence, kept for a decode engine.</summary>
internal sealed class ParkedBlocks(BlockTable table)
{
    public BlockTable Table { get; } = table;
}
