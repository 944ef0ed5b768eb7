using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace NanoAspire.Engine.Transfer;

/// <summary>XXH64 over blocks and prompts, as hand-off tickets carry it.</summary>
internal static class KvChecksum
{
    /// <summary>Hashing less than this on one more thread costs more than it gains.</summary>
    private const long BytesPerThread = 4 << 20;

    public static ulong Of(IKvMemory memory, int block) => XxHash64.HashToUInt64(memory.Block(block));

    /// <summary>Checksums of <paramref name="blocks"/>, in order, on up to <paramref name="threads"/> pool threads; never on the caller's.</summary>
    public static async Task<ulong[]> OfAsync(IKvMemory memory, IReadOnlyList<int> blocks, int threads, CancellationToken cancellationToken)
    {
        var sums = new ulong[blocks.Count];
        var wanted = blocks.Count * memory.Layout.BlockBytes / BytesPerThread;
        var options = new ParallelOptions
        {
            MaxDegreeOfParallelism = (int)Math.Clamp(wanted, 1, threads),
            CancellationToken = cancellationToken,
        };
        await Parallel.ForAsync(0, blocks.Count, options, (i, _) =>
        {
            sums[i] = Of(memory, blocks[i]);
            return ValueTask.CompletedTask;
        }).ConfigureAwait(false);
        return sums;
    }

    /// <summary>XXH64 over the ids as little-endian int32, 16 hex digits.</summary>
    public static string OfPrompt(IReadOnlyList<int> tokens)
    {
        var ids = tokens as int[] ?? [.. tokens];
        if (!BitConverter.IsLittleEndian) ids = [.. ids.Select(System.Buffers.Binary.BinaryPrimitives.ReverseEndianness)];
        return XxHash64.HashToUInt64(MemoryMarshal.AsBytes<int>(ids)).ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
    }
}
