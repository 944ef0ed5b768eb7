namespace NanoAspire.Router.Nodes;

internal enum NodeState
{
    /// <summary>Known, but has not answered yet.</summary>
    Joining,
    Ready,
    /// <summary>Finishes what it has and gets nothing new.</summary>
    Draining,
    /// <summary>Does not answer its health probe.</summary>
    Down,
}
