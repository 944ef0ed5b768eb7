using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace NanoAspire.Protocol.OpenAI;

/// <summary>Source-generated JSON of the public API (snake_case; nulls are left out unless OpenAI writes them).</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(OpenAIError))]
[JsonSerializable(typeof(ChatCompletion))]
[JsonSerializable(typeof(ChatLogprobs))]
[JsonSerializable(typeof(TextLogprobs))]
[JsonSerializable(typeof(Usage))]
[JsonSerializable(typeof(TextCompletion))]
[JsonSerializable(typeof(ModelList))]
[JsonSerializable(typeof(ModelCard))]
public sealed partial class OpenAIJson : JsonSerializerContext
{
    /// <summary>As <c>Default</c>, but letters outside ASCII are written as they are: answers stay readable and short.</summary>
    public static OpenAIJson Relaxed => field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
