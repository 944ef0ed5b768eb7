namespace NanoAspire.Engine.Kernels;

/// <summary>
/// Memory for the temporaries of a step: a stack of frames over one buffer. It grows until the largest step has been seen and
/// allocates nothing after that. One owner thread.
/// </summary>
internal sealed unsafe class Workspace : IDisposable
{
    private const int Alignment = 64, Line = Alignment / sizeof(float);
    private readonly List<NativeBuffer> _chunks = [];
    private long _used;
    private int _chunk = -1;
    private int _depth;

    /// <summary>Temporaries live until the frame is disposed.</summary>
    public Frame Enter()
    {
        if (_depth++ == 0 && _chunks.Count > 1) Coalesce();
        return new(this, _chunk, _used);
    }

    public void Dispose()
    {
        foreach (var chunk in _chunks) chunk.Dispose();
        _chunks.Clear();
    }

    private byte* Allocate(long bytes)
    {
        bytes = (bytes + Alignment - 1) & ~(long)(Alignment - 1);
        while (_chunk < 0 || _used + bytes > _chunks[_chunk].Bytes)
        {
            if (_chunk + 1 == _chunks.Count) _chunks.Add(new NativeBuffer(Math.Max(bytes, 1 << 20)));
            _chunk++;
            _used = 0;
        }
        var address = _chunks[_chunk].Address + _used;
        _used += bytes;
        return address;
    }

    private void Coalesce()
    {
        var total = _chunks.Sum(chunk => chunk.Bytes);
        foreach (var chunk in _chunks) chunk.Dispose();
        _chunks.Clear();
        _chunks.Add(new NativeBuffer(total));
        _chunk = 0;
        _used = 0;
    }

    /// <summary>A scope of temporaries; frames nest and are disposed innermost first.</summary>
    internal readonly ref struct Frame(Workspace workspace, int chunk, long used)
    {
        /// <summary>
        /// Uninitialised: it holds whatever the last frame left there. Rows start on a cache line, and never a multiple of 4 KiB apart: eight such
        /// rows would meet in the same cache sets and halve the speed of a matrix product.
        /// </summary>
        public Tensor Tensor(int rows, int columns)
        {
            var stride = (columns + Line - 1) / Line * Line;
            if (stride % (4096 / sizeof(float)) == 0) stride += Line;
            return new((float*)workspace.Allocate((long)rows * stride * sizeof(float)), rows, columns, stride);
        }

        /// <summary>Uninitialised, on a cache line.</summary>
        public int* Ints(int count) => (int*)workspace.Allocate((long)count * sizeof(int));

        /// <summary>Uninitialised, up to <paramref name="most"/> positions for each token.</summary>
        public Selection Selection(int tokens, int most) => new(Ints(tokens), (int*)workspace.Allocate((long)tokens * most * sizeof(int)), most);

        public void Dispose()
        {
            workspace._chunk = chunk;
            workspace._used = used;
            workspace._depth--;
        }
    }
}
