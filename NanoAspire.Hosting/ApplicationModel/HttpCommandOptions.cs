namespace Aspire.Hosting.ApplicationModel;

/// <summary>How a command that is an HTTP request is made and judged.</summary>
public class HttpCommandOptions : CommandOptions
{
    public static new HttpCommandOptions Default { get; } = new();

    public Func<EndpointReference>? EndpointSelector { get; set; }
    public string? HttpClientName { get; set; }

    /// <summary>POST unless given.</summary>
    public HttpMethod? Method { get; set; }
    public Func<HttpCommandRequestContext, Task>? PrepareRequest { get; set; }
    public Func<HttpCommandResultContext, Task<ExecuteCommandResult>>? GetCommandResult { get; set; }
}
