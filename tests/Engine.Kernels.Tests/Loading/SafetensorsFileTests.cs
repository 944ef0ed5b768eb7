using NanoAspire.Engine.Loading;

namespace NanoAspire.Engine.Kernels.Tests.Loading;

public sealed class SafetensorsFileTests : IDisposable
{
    private const string File = "model.safetensors";
    private readonly TinyCheckpoint _checkpoint = new();

    public void Dispose() => _checkpoint.Dispose();

    [Fact]
    public void Reads_names_types_shapes_and_places()
    {
        _checkpoint.WriteRaw(File, """{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2,1],"data_offsets":[2,10]},"a":{"dtype":"BF16","shape":[],"data_offsets":[0,2]},"none":{"dtype":"F16","shape":[0,4],"data_offsets":[10,10]}}""", new byte[10]);
        using var file = SafetensorsFile.Open(_checkpoint.PathOf(File));
        Assert.Equal(["a", "b", "none"], file.Tensors.Select(tensor => tensor.Name));
        Assert.Equal(("F32", "[2, 1]", 8L), (file.Tensors[1].Type, file.Tensors[1].ShapeText, file.Tensors[1].Bytes));
        Assert.Equal(file.Tensors[0].Offset + 2, file.Tensors[1].Offset);
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""", 15, "is 78 bytes long but its tensors need 79: truncated")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""", 17, "has 1 bytes after its last tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,1000]}}""", 16, "tensor a has data_offsets [0, 1000] outside the file of 81 bytes: truncated or damaged")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[16,0]}}""", 16, "tensor a has data_offsets [16, 0] outside the file of 79 bytes: truncated or damaged")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,8]}}""", 8, "tensor a has 8 bytes of data, not those of F32 [4]")]
    [InlineData("""{"a":{"dtype":"F4","shape":[3,3],"data_offsets":[0,5]}}""", 5, "tensor a has 5 bytes of data, not those of F4 [3, 3]")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4611686018427387904,16],"data_offsets":[0,0]}}""", 0, "tensor a has 0 bytes of data, not those of F32 [4611686018427387904, 4611686018427387904, 16]")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-4],"data_offsets":[0,16]}}""", 16, "tensor a needs dtype, shape and data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4]}}""", 16, "tensor a needs dtype, shape and data_offsets")]
    [InlineData("""{"a":{"dtype":"F31","shape":[4],"data_offsets":[0,16]}}""", 16, "tensor a has unknown dtype F31")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}""", 6, "tensor b overlaps the one before it")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}}""", 6, "2 bytes before tensor b belong to nothing")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}""", 4, "names tensor a twice")]
    [InlineData("[]", 0, "header is not a JSON object")]
    public void A_header_that_does_not_describe_the_file_is_refused(string header, int data, string message)
    {
        _checkpoint.WriteRaw(File, header, new byte[data]);
        Assert.Equal($"{File}: {message}", Fails());
    }

    [Fact]
    public void A_file_that_is_not_safetensors_is_refused()
    {
        System.IO.File.WriteAllBytes(_checkpoint.PathOf(File), new byte[5]);
        Assert.Equal($"{File}: is 5 bytes long, too short for a safetensors file", Fails());
        _checkpoint.WriteRaw(File, "{", []);
        Assert.StartsWith($"{File}: header is not valid JSON: ", Fails(), StringComparison.Ordinal);
        _checkpoint.WriteRaw(File, "{}", [], declaredHeader: 1000);
        Assert.Equal($"{File}: declares a header of 1000 bytes but has 2: truncated", Fails());
        _checkpoint.WriteRaw(File, "{}", [], declaredHeader: -1);
        Assert.Contains("not a safetensors file", Fails(), StringComparison.Ordinal);
        Directory.CreateDirectory(_checkpoint.PathOf("folder.safetensors"));
        Assert.Throws<ModelLoadException>(() => SafetensorsFile.Open(_checkpoint.PathOf("folder.safetensors")));
    }

    [Fact]
    public void Every_truncation_of_a_real_file_is_refused()
    {
        _checkpoint.Write();
        var whole = System.IO.File.ReadAllBytes(_checkpoint.PathOf(File));
        for (var length = 0; length < whole.Length; length += 1 + whole.Length / 100)
        {
            System.IO.File.WriteAllBytes(_checkpoint.PathOf(File), whole[..length]);
            Fails();
        }
    }

    private string Fails() => Assert.Throws<ModelLoadException>(() => SafetensorsFile.Open(_checkpoint.PathOf(File))).Message;
}
