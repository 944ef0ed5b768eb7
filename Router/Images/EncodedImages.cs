using NanoAspire.Router.Nodes;
using NanoAspire.Router.Requests;
using NanoAspire.Router.Stages;

namespace NanoAspire.Router.Images;

/// <summary>
/// The images of one request at the encoders. Encoded when a prompt is about to be computed, held until it has been; a prompt that must
/// be computed again has them encoded again, which an encoder that still knows them does in no time. Used by one flow at a time.
/// </summary>
/// <param name="images">Each image once.</param>
/// <param name="order">For every place in the messages, in order, which of them is there.</param>
/// <param name="stage">Calls the encoders.</param>
internal sealed class EncodedImages(IReadOnlyList<ImageToEncode> images, IReadOnlyList<int> order, EncodeStage stage) : IDisposable
{
    /// <summary>Of the body of an engine that computes the prompt: one slot for every image of the messages, in order.</summary>
    public const string Member = "vision_slots";
    /// <summary>Of one request at a time: more would let one request fill the encoders.</summary>
    private const int MostAtOnce = 4;

    private readonly EncodeReply.Held?[] _held = new EncodeReply.Held?[images.Count];
    private readonly HashSet<Node> _doubted = [];

    /// <summary>Whether the engine reads encoders' slots; it lists the capability of the member's name.</summary>
    public static bool AreReadBy(Node node) => node.Has(Member);

    /// <exception cref="InvalidOperationException">The images are not held now.</exception>
    public string SlotsJson => $"[{string.Join(',', order.Select(image => _held[image]?.Slot ?? throw new InvalidOperationException("an image is not encoded")))}]";

    /// <summary>Encodes what is not held.</summary>
    /// <returns>Null when all images are held. Else none is: the client has an encoder's refusal, or the encoders have failed.</returns>
    /// <exception cref="OperationCanceledException">The client left or the request's own time is up.</exception>
    public async Task<FlowResult?> EnsureAsync(HttpContext http, InferenceRequest request, RequestReport report, ModelPool pool, CancellationToken ct)
    {
        if (Array.TrueForAll(_held, static held => held is not null)) return null;
        report.Stage = "encode";
        EncodeReply? problem = null;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = MostAtOnce, CancellationToken = stop.Token };
        try
        {
            await Parallel.ForAsync(0, images.Count, parallel, async (index, token) =>
            {
                if (_held[index] is not null) return;
                var reply = await stage.RunAsync(http, pool, request, report, images[index], _doubted, token);
                if (reply is EncodeReply.Held held) _held[index] = held;
                else if (Interlocked.CompareExchange(ref problem, reply, null) is null) await stop.CancelAsync();   // nobody needs the others now
            });
        }
        catch (OperationCanceledException) when (problem is not null && !ct.IsCancellationRequested)
        {
            // Stopped for the problem's sake.
        }
        finally
        {
            if (problem is not null || ct.IsCancellationRequested) Release();
        }
        switch (problem)
        {
            case EncodeReply.Refused refused:
                if (request.KeepAlive is { } comments) await comments.EndAsync();
                await refused.Refusal.WriteAsync(http, report, ct);
                return FlowResult.Answered;
            case EncodeReply.Failed failed:
                return new FlowResult(Done: false, failed.Result);
            default:
                return null;
        }
    }

    /// <summary>The prompt has been computed, or never will be: the slots are the encoders' again.</summary>
    public void Release()
    {
        for (var index = 0; index < _held.Length; index++)
        {
            _held[index]?.Lease.Release();
            _held[index] = null;
        }
    }

    /// <summary>An engine could not read the slots: they are encoded anew, elsewhere if that is possible.</summary>
    public void Lose()
    {
        foreach (var held in _held)
            if (held is not null) _doubted.Add(held.Lease.Node);
        Release();
    }

    public void Dispose() => Release();
}
