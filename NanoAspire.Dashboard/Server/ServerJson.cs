using System.Text.Json.Serialization;
using NanoAspire.Dashboard.Resources;

namespace NanoAspire.Dashboard.Server;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(bool))]
[JsonSerializable(typeof(CommandOutcome))]
internal sealed partial class ServerJson : JsonSerializerContext;
