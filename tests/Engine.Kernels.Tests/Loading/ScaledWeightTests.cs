using System.Text.Json.Nodes;
using NanoAspire.Engine.Kernels.Cpu;
using NanoAspire.Engine.Kernels.Tests.Execution;
using NanoAspire.Engine.Kernels.Tests.Generation;
using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Kernels.Tests.Loading;

/// <summary>E4M3 weights with a factor a block.</summary>
public sealed class ScaledWeightTests : IDisposable
{
    private const string Gate = "model.layers.0.mlp.gate_proj.weight";
    private const int BlockRows = 17, BlockColumns = 23;
    private readonly TinyCheckpoint _checkpoint = new();

    public void Dispose() => _checkpoint.Dispose();

    [Fact]
    public void Eight_bit_weights_without_their_factors_are_named()
    {
        _checkpoint.TypeOf[Gate] = "F8_E4M3";
        _checkpoint.Write();
        Assert.Equal($"model.safetensors: tensor {Gate} has dtype F8_E4M3, but config.json has no quantization_config", _checkpoint.Fails());
        Quantise();
        _checkpoint.Tensors.Remove(Gate + "_scale_inv");
        _checkpoint.Write();
        Assert.Equal($"tensor {Gate}_scale_inv is missing", _checkpoint.Fails());
        Quantise();
        _checkpoint.Add(Gate + "_scale_inv", 4, 1);
        _checkpoint.Write();
        Assert.Equal($"model.safetensors: tensor {Gate}_scale_inv has shape [4, 1], expected [4, 2]", _checkpoint.Fails());
        Quantise();
        _checkpoint.Tensors[Gate].Values[1037] = float.NaN;
        _checkpoint.Write();
        Assert.Equal($"model.safetensors: tensor {Gate} holds NaN or infinity at element 1037", _checkpoint.Fails());
        _checkpoint.Tensors[Gate].Values[1037] = 1;
        _checkpoint.TypeOf["model.norm.weight"] = "F8_E4M3";
        _checkpoint.Write();
        Assert.Equal("model.safetensors: tensor model.norm.weight has dtype F8_E4M3, which only matrices may have", _checkpoint.Fails());
    }

    [Fact]
    public void Eight_bit_weights_compute_what_their_products_with_the_factors_compute()
    {
        Quantise();
        using var kept = GreedyDriver.Load(_checkpoint.Write().Folder);
        using var widened = GreedyDriver.Load(_checkpoint.Folder, new() { Threads = 1, DType = "f32" });
        foreach (var name in _checkpoint.Tensors.Keys.Where(name => _checkpoint.TypeOf[name] == "F8_E4M3").ToArray())
        {
            var ((shape, values), factors) = (_checkpoint.Tensors[name], _checkpoint.Tensors[name + "_scale_inv"].Values);
            var across = (shape[1] + BlockColumns - 1) / BlockColumns;
            for (var i = 0; i < values.Length; i++) values[i] = Float8.ToSingle(Float8.FromSingle(values[i])) * BFloat16.ToSingle(BFloat16.FromSingle(factors[i / shape[1] / BlockRows * across + i % shape[1] / BlockColumns]));
            _checkpoint.TypeOf[name] = "F32";
            _checkpoint.Tensors.Remove(name + "_scale_inv");
        }
        _checkpoint.Config.Remove("quantization_config");
        using var plain = GreedyDriver.Load(_checkpoint.Write().Folder);
        var (expected, actual) = (plain.Generate([1, 2, 3], 5), kept.Generate([1, 2, 3], 5));
        Assert.Equal(expected.Logits, widened.Generate([1, 2, 3], 5).Logits);
        Assert.Equal(expected.Generated, actual.Generated);
        foreach (var (e, a) in expected.Logits.SelectMany(row => row).Zip(actual.Logits.SelectMany(row => row))) Assert.Equal(e, a, 1e-4f);
        Assert.True(kept.Runner.Model.WeightBytes < widened.Runner.Model.WeightBytes / 2);
    }

    [Fact]
    public unsafe void Eight_bit_weights_of_all_experts_in_one_tensor_have_factors_of_their_own()
    {
        const int Experts = 3, Rows = 40, Columns = 30, Down = (Rows + BlockRows - 1) / BlockRows, TurnedDown = (Columns + BlockRows - 1) / BlockRows;
        _checkpoint.Add("experts", Experts, Rows, Columns);
        _checkpoint.Add("experts_scale_inv", Experts, Down, 2);
        _checkpoint.Add("groups", Experts * Rows, Columns);
        _checkpoint.Add("groups_scale_inv", (Experts * Rows + BlockRows - 1) / BlockRows, 2);
        _checkpoint.Add("turned", Experts, Columns, Rows);
        _checkpoint.Add("turned_scale_inv", Experts, TurnedDown, 2);
        foreach (var name in (string[])["experts", "groups", "turned"]) (_checkpoint.TypeOf[name], _checkpoint.TypeOf[name + "_scale_inv"]) = ("F8_E4M3", "F32");
        using var kernels = new CpuKernels(1);
        using var files = Checkpoint.Open(_checkpoint.Write().Folder);
        foreach (var keepAs in (WeightType?[])[null, WeightType.F32])
        {
            using var reader = new WeightReader(files, kernels, keepAs, new(BlockRows, BlockColumns), threads: 2, onRead: _ => { });
            Check(reader.Stacked("experts", Experts, Rows, Columns), "experts", (e, row, column) => ((e * Rows + row) * Columns + column, (e * Down + row / BlockRows) * 2 + column / BlockColumns));
            Check(reader.Divided("groups", Experts, Rows, Columns), "groups", (e, row, column) => ((e * Rows + row) * Columns + column, (e * Rows + row) / BlockRows * 2 + column / BlockColumns));
            Check(reader.Stacked("turned", Experts, Rows, Columns, inputsFirst: true), "turned", (e, row, column) => ((e * Columns + column) * Rows + row, (e * TurnedDown + column / BlockRows) * 2 + row / BlockColumns));
        }

        void Check(Matrix[] matrices, string name, Func<int, int, int, (int Value, int Factor)> place)
        {
            var (values, factors) = (_checkpoint.Tensors[name].Values, _checkpoint.Tensors[name + "_scale_inv"].Values);
            var read = new float[Columns];
            for (var i = 0; i < Experts * Rows; i++)
            {
                fixed (float* into = read) ((PackedMatrix)matrices[i / Rows]).ReadRow(i % Rows, into);
                for (var c = 0; c < Columns; c++)
                {
                    var (value, factor) = place(i / Rows, i % Rows, c);
                    Assert.Equal(Float8.ToSingle(Float8.FromSingle(values[value])) * factors[factor], read[c]);
                }
            }
        }
    }

    [Fact]
    public unsafe void Four_bit_weights_of_all_experts_in_one_tensor_have_factors_of_their_own()
    {
        const int Experts = 3, Rows = 40, Columns = 70, Across = 3;
        Bytes("experts.weight", "U8", [Experts, Rows, Columns / 2], i => i * 41);
        Bytes("experts.scale", "F8_E8M0", [Experts, Rows, Across], i => 120 + i % 13);
        using var kernels = new CpuKernels(1);
        using var files = Checkpoint.Open(_checkpoint.Write().Folder);
        var (stored, exponents, read) = (_checkpoint.Tensors["experts.weight"].Values, _checkpoint.Tensors["experts.scale"].Values, new float[Columns]);
        foreach (var keepAs in (WeightType?[])[null, WeightType.F32, WeightType.BF16])
        {
            using var reader = new WeightReader(files, kernels, keepAs, new(BlockRows, BlockColumns, Packed: true), threads: 2);
            var matrices = reader.Stacked("experts.weight", Experts, Rows, Columns);
            for (var i = 0; i < Experts * Rows; i++)
            {
                Assert.Equal(keepAs ?? WeightType.E2M1, matrices[i / Rows].Type);
                fixed (float* into = read) ((PackedMatrix)matrices[i / Rows]).ReadRow(i % Rows, into);
                for (var c = 0; c < Columns; c++)
                    Assert.Equal(Float4.Reference((int)stored[(i * Columns + c) / 2] >> c % 2 * 4 & 15) * Math.Pow(2, exponents[i * Across + c / 32] - 127), read[c]);
            }
            Assert.Equal("model.safetensors: tensor experts.weight has dtype U8; 4-bit floats are supported outputs first",
                Assert.Throws<ModelLoadException>(() => reader.Stacked("experts.weight", Experts, Columns, Rows, inputsFirst: true)).Message);
        }

        void Bytes(string name, string type, int[] shape, Func<int, int> value)
        {
            _checkpoint.Add(name, shape);
            for (var i = 0; i < _checkpoint.Tensors[name].Values.Length; i++) _checkpoint.Tensors[name].Values[i] = value(i) % 256;
            _checkpoint.TypeOf[name] = type;
        }
    }

    /// <summary>Recurrent layers keep their rates as they are: beside them the projections must not be widened.</summary>
    [Theory, InlineData("qwen3_next"), InlineData("qwen3_5_moe")]
    public void Eight_bit_projections_beside_others_keep_one_byte_a_number(string family)
    {
        const int Block = 128;
        var (plan, quantised) = (RandomFamilies.Plan(family, new Random(3)), RandomFamilies.Plan(family, new Random(3)));
        string[] names = [.. plan.Tensors.Keys.Where(name => name.Contains("in_proj_qkv", StringComparison.Ordinal) || name.Contains("in_proj_z", StringComparison.Ordinal))];
        Assert.NotEmpty(names);
        foreach (var name in names) quantised.Quantise(name, "F8_E4M3", name + "_scale_inv", "F32", Block, Block);
        quantised.Config["quantization_config"] = new JsonObject { ["quant_method"] = "fp8", ["fmt"] = "e4m3", ["activation_scheme"] = "dynamic", ["weight_block_size"] = new JsonArray(Block, Block) };
        using var files = RandomCheckpoint.Write(plan, new Random(4), "BF16");
        using var quantisedFiles = RandomCheckpoint.Write(quantised, new Random(4), "BF16");
        using var two = GreedyDriver.Load(files.Folder);
        using var one = GreedyDriver.Load(quantisedFiles.Folder);
        using var widened = GreedyDriver.Load(quantisedFiles.Folder, new() { Threads = 1, DType = "f32" });
        var numbers = names.Sum(name => plan.Tensors[name].Count);
        Assert.True(two.Runner.Model.WeightBytes - one.Runner.Model.WeightBytes > numbers * 0.7, $"{two.Runner.Model.WeightBytes} and {one.Runner.Model.WeightBytes} bytes for {numbers} numbers in two bytes and in one");
        foreach (var (e, a) in widened.Generate([1, 2, 3], 3).Logits[0].Zip(one.Generate([1, 2, 3], 3).Logits[0])) Assert.Equal(e, a, 1e-4f);
    }

    /// <summary>All projections in E4M3 with blocks that divide nothing.</summary>
    private void Quantise()
    {
        _checkpoint.Config["quantization_config"] = new JsonObject { ["quant_method"] = "fp8", ["fmt"] = "e4m3", ["activation_scheme"] = "dynamic", ["weight_block_size"] = new JsonArray(BlockRows, BlockColumns) };
        foreach (var name in _checkpoint.Tensors.Keys.Where(name => name.EndsWith("_proj.weight", StringComparison.Ordinal)).ToArray())
        {
            var shape = _checkpoint.Tensors[name].Shape;
            _checkpoint.TypeOf[name] = "F8_E4M3";
            _checkpoint.Add(name + "_scale_inv", (shape[0] + BlockRows - 1) / BlockRows, (shape[1] + BlockColumns - 1) / BlockColumns);
        }
    }
}
