using System.Text.Json.Serialization;

namespace NanoAspire.Protocol.OpenAI;

/// <summary>OpenAI's error envelope: <c>{"error":{"message","type","param","code"}}</c>; param and code are written even when null.</summary>
public sealed record OpenAIError
{
    public required OpenAIErrorBody Error { get; init; }

    public static OpenAIError Create(string message, string type, string? param = null, string? code = null) =>
        new() { Error = new() { Message = message, Type = type, Param = param, Code = code } };

    public static OpenAIError InvalidRequest(string message, string? param = null, string? code = null) =>
        Create(message, "invalid_request_error", param, code);

    public static OpenAIError ModelNotFound(string model) =>
        InvalidRequest($"The model '{model}' does not exist.", "model", "model_not_found");
}

public sealed record OpenAIErrorBody
{
    public required string Message { get; init; }
    public required string Type { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Param { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Code { get; init; }
}
