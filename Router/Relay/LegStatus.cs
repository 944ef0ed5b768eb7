namespace NanoAspire.Router.Relay;

/// <summary>How one engine's answer to one stage ended.</summary>
internal enum LegStatus
{
    /// <summary>The client has all of it.</summary>
    Completed,
    /// <summary>The engine refused the request as the client's fault; the client has its answer.</summary>
    Refused,
    /// <summary>The engine could not use the hand-off. Nothing reached the client.</summary>
    HandoffRefused,
    /// <summary>The engine could not read what an encoder made of the images. Nothing reached the client.</summary>
    SlotsLost,
    /// <summary>No connection. Nothing reached the client.</summary>
    Unreachable,
    /// <summary>The engine answered with a failure of its own. Nothing reached the client.</summary>
    Failed,
    /// <summary>The connection broke before the first byte, or the answer made no sense. Nothing reached the client.</summary>
    Died,
    /// <summary>A deadline passed. Nothing reached the client.</summary>
    TimedOut,
    /// <summary>The engine failed after the first byte; the client has been told.</summary>
    Broken,
    /// <summary>The engine failed after the first byte; the client has not been told, since another engine can go on.</summary>
    Interrupted,
    /// <summary>The client takes nothing any more; its connection is closed.</summary>
    ClientStalled,
}
