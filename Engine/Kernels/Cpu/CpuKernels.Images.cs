using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Kernels.Cpu;

/// <summary>What images bring into the stream: few rows, copied or added by the calling thread.</summary>
internal sealed unsafe partial class CpuKernels
{
    public void PlaceImages(StepInput step, Tensor into)
    {
        foreach (var part in step.Images)
            for (var i = 0; i < part.Count; i++) Row(part.Image.Embeddings, part.Row + i, into.Columns).CopyTo(into.RowSpan(part.Token + i));
    }

    public void AddDeepstack(StepInput step, int layer, Tensor into)
    {
        foreach (var part in step.Images)
        {
            for (var i = 0; i < part.Count; i++)
            {
                var row = Row(part.Image.Deepstack[layer], part.Row + i, into.Columns);
                var stream = into.RowSpan(part.Token + i);
                for (var c = 0; c < row.Length; c++) stream[c] += row[c];
            }
        }
    }

    private static ReadOnlySpan<float> Row(ReadOnlyMemory<float> rows, int row, int columns) => rows.Span.Slice(row * columns, columns);
}
