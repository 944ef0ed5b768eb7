namespace NanoAspire.Router.Requests;

internal enum RequestOutcome
{
    /// <summary>The client's own fault, or no room: no engine failed.</summary>
    Rejected,
    Completed,
    /// <summary>The engines failed it.</summary>
    Failed,
    /// <summary>The client left.</summary>
    Aborted,
}
