using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using NanoAspire.Engine.Kernels;

namespace NanoAspire.Engine.Loading;

/// <content>How a tensor's bytes pass by: window by window, scanned, hashed and handed on in chunks.</content>
internal sealed unsafe partial class WeightReader
{
    private delegate void Sink(int row, int rows, void* data);

    /// <returns>Index of the first number that will not do, or −1.</returns>
    private delegate long Scan(byte* data, long count);

    private void Stream(SafetensorsFile file, StoredTensor tensor, WeightType type, int columns, Sink sink) =>
        Stream(file, tensor, columns, type.Bytes(columns), (data, count) => FiniteScan.FirstNonFinite(data, count, type), sink);

    private void Stream(SafetensorsFile file, StoredTensor tensor, int columns, long rowBytes, Scan scan, Sink sink)
    {
        var rows = tensor.Bytes / rowBytes;
        // Fixed cuts, in whole panels of 32 rows: the digest must not depend on the machine.
        var rowsPerChunk = Math.Max(32, ChunkBytes / rowBytes / 32 * 32);
        var chunksPerWindow = Math.Max(1, WindowBytes / (rowsPerChunk * rowBytes));
        var chunks = (rows + rowsPerChunk - 1) / rowsPerChunk;
        var hashes = new byte[chunks * sizeof(ulong)];
        for (var first = 0L; first < chunks; first += chunksPerWindow)
        {
            var last = Math.Min(first + chunksPerWindow, chunks);
            var windowRow = first * rowsPerChunk;
            using var window = file.Map(tensor.Offset + windowRow * rowBytes, (Math.Min(last * rowsPerChunk, rows) - windowRow) * rowBytes);
            var data = (nint)window.Address;
            var bad = long.MaxValue;
            var gate = new Lock();
            Parallel.For(first, last, new ParallelOptions { MaxDegreeOfParallelism = threads }, chunk =>
            {
                var row = chunk * rowsPerChunk;
                var count = Math.Min(rowsPerChunk, rows - row);
                var from = (byte*)data + (row - windowRow) * rowBytes;
                var found = scan(from, count * columns);
                if (found >= 0)
                {
                    lock (gate) bad = Math.Min(bad, row * columns + found);
                    return;
                }
                BinaryPrimitives.WriteUInt64LittleEndian(hashes.AsSpan((int)(chunk * sizeof(ulong))), XxHash64.HashToUInt64(new(from, checked((int)(count * rowBytes)))));
                sink((int)row, (int)count, from);
            });
            if (bad != long.MaxValue) throw new ModelLoadException($"{file.Name}: tensor {tensor.Name} holds NaN or infinity at element {bad}");
            _bytesRead += (Math.Min(last * rowsPerChunk, rows) - windowRow) * rowBytes;
            onRead?.Invoke(_bytesRead);
        }
        _identity.AppendData(Encoding.UTF8.GetBytes($"{tensor.Name} {tensor.Type} {tensor.ShapeText}\n"));
        _identity.AppendData(hashes);
    }

    private static bool SameBytes((SafetensorsFile File, StoredTensor Tensor) a, (SafetensorsFile File, StoredTensor Tensor) b)
    {
        for (var at = 0L; at < a.Tensor.Bytes; at += WindowBytes)
        {
            var bytes = Math.Min(WindowBytes, a.Tensor.Bytes - at);
            using var left = a.File.Map(a.Tensor.Offset + at, bytes);
            using var right = b.File.Map(b.Tensor.Offset + at, bytes);
            if (!new ReadOnlySpan<byte>(left.Address, (int)bytes).SequenceEqual(new(right.Address, (int)bytes))) return false;
        }
        return true;
    }
}
