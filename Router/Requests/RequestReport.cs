using NanoAspire.Router.Relay;

namespace NanoAspire.Router.Requests;

/// <summary>What is known about a request when it has ended: the access log's line and the metrics' labels. Filled by one request's own flow.</summary>
internal sealed class RequestReport(string requestId, long started)
{
    private int _retries;

    public string RequestId { get; } = requestId;
    /// <summary>Timestamp of arrival.</summary>
    public long Started { get; } = started;
    public string Endpoint { get; set; } = "";
    public string? Model { get; set; }
    public bool Stream { get; set; }
    public RequestOutcome Outcome { get; set; } = RequestOutcome.Rejected;
    /// <summary>An encoder that read one of the images.</summary>
    public string? EncodeEngine { get; set; }
    public string? PrefillEngine { get; set; }
    /// <summary>The engine that gave the answer; a hybrid one too.</summary>
    public string? AnswerEngine { get; set; }
    public int Retries => _retries;
    /// <summary>Engines that went on with the stream after another broke off.</summary>
    public int Moves { get; private set; }
    public TimeSpan? FirstToken { get; set; }
    public long? PromptTokens { get; set; }
    public long? CachedTokens { get; set; }
    public long? CompletionTokens { get; set; }
    public string? FinishReason { get; set; }
    /// <summary>Code of the error the client got.</summary>
    public string? ErrorCode { get; set; }
    /// <summary>Where the request stood; says which stage a leaving client left.</summary>
    public string Stage { get; set; } = "accept";

    /// <summary>A stage is tried on another engine.</summary>
    public void CountRetry(string stage, LegResult? because)
    {
        Interlocked.Increment(ref _retries);   // images are encoded side by side
        Telemetry.Retries.Add(1, new("stage", stage), new("reason", because?.Status.ToString() ?? "none"));
    }

    /// <summary>A stream goes on at another engine.</summary>
    public void CountMove(string stage)
    {
        Moves++;
        Telemetry.Migrations.Add(1, new KeyValuePair<string, object?>("type", stage));
    }

    /// <summary>Takes over how an engine's answer ended. One that can be retried has not ended anything.</summary>
    public void Conclude(LegResult result) => Outcome = result.Status switch
    {
        LegStatus.Completed => RequestOutcome.Completed,
        LegStatus.Refused => RequestOutcome.Rejected,
        LegStatus.ClientStalled => RequestOutcome.Aborted,
        _ => RequestOutcome.Failed,
    };
}
