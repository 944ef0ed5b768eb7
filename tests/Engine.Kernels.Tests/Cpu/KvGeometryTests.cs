namespace NanoAspire.Engine.Kernels.Tests.Cpu;

public sealed unsafe class KvGeometryTests
{
    [Theory, InlineData(16), InlineData(24), InlineData(50), InlineData(6)]
    public void Tokens_taken_to_a_block_of_another_size_keep_every_column(int dim)
    {
        const int Heads = 2, Slot = 16, Count = 16;
        KvGeometry small = new(Heads, dim, 32, WeightType.F32), large = new(Heads, dim, 64, WeightType.F32);
        using NativeBuffer from = new(small.Bytes), to = new(large.Bytes);
        var numbers = new Span<float>(from.Address, (int)(small.Bytes / sizeof(float)));
        for (var i = 0; i < numbers.Length; i++) numbers[i] = i + 1;
        new Span<byte>(to.Address, (int)large.Bytes).Clear();
        Assert.True(small.TryCopyTokens(from.Address, Slot, large, to.Address, 2 * Slot, Count));
        var (source, target) = (small.At((nint)from.Address, small.Bytes, 0), large.At((nint)to.Address, large.Bytes, 0));
        for (var head = 0; head < Heads; head++)
        {
            for (var token = 0; token < Count; token++)
            {
                for (var d = 0; d < dim; d++)
                {
                    Assert.Equal(Key(source, Slot + token), Key(target, 2 * Slot + token));
                    Assert.Equal(Value(source, Slot + token), Value(target, 2 * Slot + token));

                    float Key(LayerKv kv, int slot) => ((float*)kv.Key(0, head))[slot / 16 * dim * 16 + d * 16 + slot % 16];
                    float Value(LayerKv kv, int slot) => ((float*)kv.Value(0, head))[d / 16 * kv.Geometry.BlockSize * 16 + slot * 16 + d % 16];
                }
            }
        }
    }
}
