using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>The queries of a step cut into items of one sequence each, and scratch memory for every worker. Both only grow.</summary>
internal sealed unsafe class QueryTiles : IDisposable
{
    private (int Sequence, int FirstToken)[] _tiles = [];
    private NativeBuffer? _scratch;

    /// <summary>Bytes of one worker's part of the scratch memory.</summary>
    public long ScratchBytes { get; private set; }

    /// <summary>Valid until the next <see cref="Cut"/>.</summary>
    public ref (int Sequence, int FirstToken) First => ref System.Runtime.InteropServices.MemoryMarshal.GetArrayDataReference(_tiles);

    /// <returns>How many tiles there are.</returns>
    public int Cut(StepInput step, int tokensPerTile)
    {
        var count = 0;
        foreach (var sequence in step.Sequences) count += (sequence.QueryLength + tokensPerTile - 1) / tokensPerTile;
        if (_tiles.Length < count) _tiles = new (int, int)[Math.Max(count, 2 * _tiles.Length)];
        count = 0;
        for (var s = 0; s < step.SequenceCount; s++)
            for (var t = 0; t < step.Sequences[s].QueryLength; t += tokensPerTile) _tiles[count++] = (s, t);
        return count;
    }

    public byte* Scratch(int workers, long bytes)
    {
        if (_scratch is null || bytes > ScratchBytes)
        {
            _scratch?.Dispose();
            _scratch = new NativeBuffer(workers * bytes);
            ScratchBytes = bytes;
        }
        return _scratch.Address;
    }

    public void Dispose() => _scratch?.Dispose();
}
