using NanoAspire.Protocol.Wire;
using NanoAspire.Router.Nodes;
using NanoAspire.Router.Options;
using NanoAspire.Router.Requests;

namespace NanoAspire.Benchmarks.Routing;

/// <summary>
/// An engine as a router feels it: prompts are computed one after the other at a fixed rate, less what a bounded prefix cache (least
/// recently used blocks go first) holds of them; answers take longer the more of them run.
/// </summary>
internal sealed class SimulatedEngine
{
    private const int CacheBlocks = 6000;   // 384 KB of prompt text
    private const double PromptBytesPerSecond = 32_000;
    private const double SecondsPerToken = 0.012;
    private const double SequencesThatDouble = 32;
    private static readonly TimeSpan Overhead = TimeSpan.FromMilliseconds(5);

    private readonly Dictionary<ulong, LinkedListNode<ulong>> _blocks = [];
    private readonly LinkedList<ulong> _byUse = [];
    private TimeSpan _free;

    public SimulatedEngine(int number, TimeProvider time) =>
        Node = new Node(new EngineDescriptor { Id = $"e{number:00}", Url = $"http://e{number:00}", Role = EngineRole.Hybrid, Models = ["m"] }, new RouterOptions(), time);

    public Node Node { get; }
    public int Requests { get; private set; }
    public double PrefillSeconds { get; private set; }
    public long PromptBytes { get; private set; }
    public long CachedBytes { get; private set; }

    /// <summary>Takes a prompt in.</summary>
    /// <returns>When its first token is there.</returns>
    public TimeSpan Prefill(InferenceRequest request, TimeSpan now)
    {
        var prompt = request.Prompt;
        var known = 0;
        while (known < prompt.Chain.Count && _blocks.ContainsKey(prompt.Chain[known])) known++;
        var cached = Math.Min(known * PromptText.BlockBytes, prompt.Length);
        foreach (var block in prompt.Chain.Reverse()) Touch(block);   // beginnings outlive ends
        var work = (prompt.Length - cached) / PromptBytesPerSecond;
        Requests++;
        PromptBytes += prompt.Length;
        CachedBytes += cached;
        PrefillSeconds += work;
        _free = (_free > now ? _free : now) + TimeSpan.FromSeconds(work);
        return _free + Overhead;
    }

    /// <summary>How long an answer takes when it begins now.</summary>
    public TimeSpan Decode(int tokens) => TimeSpan.FromSeconds(tokens * SecondsPerToken * (1 + Node.InFlight / SequencesThatDouble));

    private void Touch(ulong block)
    {
        if (_blocks.TryGetValue(block, out var used)) _byUse.Remove(used);
        else
        {
            _blocks[block] = used = new LinkedListNode<ulong>(block);
            if (_blocks.Count > CacheBlocks)
            {
                _blocks.Remove(_byUse.Last!.Value);
                _byUse.RemoveLast();
            }
        }
        _byUse.AddFirst(used);
    }
}
