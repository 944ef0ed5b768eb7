namespace NanoAspire.Router.Nodes;

internal enum BreakerState
{
    /// <summary>Requests pass.</summary>
    Closed,
    /// <summary>One request at a time tries.</summary>
    HalfOpen,
    /// <summary>No request passes.</summary>
    Open,
}
