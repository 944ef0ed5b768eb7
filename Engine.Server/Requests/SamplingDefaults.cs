using System.Text.Json;

namespace NanoAspire.Engine.Server.Requests;

/// <summary>What the model's own generation_config.json recommends; a request's values win.</summary>
internal sealed record SamplingDefaults
{
    public float? Temperature { get; init; }
    public float? TopP { get; init; }
    public int? TopK { get; init; }
    public float? MinP { get; init; }
    public float? RepetitionPenalty { get; init; }

    public static SamplingDefaults Load(string modelFolder)
    {
        var file = Path.Combine(modelFolder, "generation_config.json");
        if (!File.Exists(file)) return new();
        using var json = JsonDocument.Parse(File.ReadAllBytes(file));
        var fields = new JsonFields(json.RootElement);
        return new()
        {
            Temperature = fields.Float("temperature"),
            TopP = fields.Float("top_p"),
            TopK = fields.Int("top_k"),
            MinP = fields.Float("min_p"),
            RepetitionPenalty = fields.Float("repetition_penalty"),
        };
    }
}
