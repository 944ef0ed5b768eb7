namespace NanoAspire.Router.Nodes;

/// <summary>One stage of one request on one engine. Counted from creation to disposal; the first verdict given goes to the breaker.</summary>
internal sealed class NodeVisit(Node node, int promptBytes) : IDisposable
{
    private bool _judged;
    private bool _left;
    private int _promptBytes = promptBytes;

    public Node Node => node;

    public void Succeed()
    {
        if (!Judge()) return;
        node.Breaker.Succeed();
        Telemetry.NodeRequests.Add(1, [.. Telemetry.Tags(node), new("result", "completed")]);
    }

    public void Fail()
    {
        if (!Judge()) return;
        node.Breaker.Fail();
        Telemetry.NodeRequests.Add(1, [.. Telemetry.Tags(node), new("result", "failed")]);
    }

    /// <summary>The first token is there: the prompt no longer stands in the engine's way.</summary>
    public void PromptDone()
    {
        node.PromptDone(_promptBytes);
        _promptBytes = 0;
    }

    public void Dispose()
    {
        if (_left) return;
        _left = true;
        if (Judge()) node.Breaker.Forget();
        PromptDone();
        node.Leave();
    }

    private bool Judge() => !_judged && (_judged = true);
}
