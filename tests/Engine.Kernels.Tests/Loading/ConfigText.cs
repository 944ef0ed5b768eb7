using System.Text.Json;
using System.Text.Json.Nodes;
using NanoAspire.Engine.Loading;
using NanoAspire.Engine.Models;

namespace NanoAspire.Engine.Kernels.Tests.Loading;

/// <summary>Configurations without their weights.</summary>
internal static class ConfigText
{
    /// <summary>All that is understood of a configuration, as it goes into the layout digest.</summary>
    public static string Of(JsonObject config)
    {
        using var document = JsonDocument.Parse(config.ToJsonString());
        var section = new ConfigSection(document.RootElement, "config.json");
        var (_, _, read) = ModelFamilies.Read(section);
        return $"{read} {read.Images} {read.MaxPositions} {Quantisation.Read(section)}";
    }

    /// <summary>Why it is refused.</summary>
    public static string Fails(JsonObject config) => Assert.Throws<ModelLoadException>(() => Of(config)).Message;
}
