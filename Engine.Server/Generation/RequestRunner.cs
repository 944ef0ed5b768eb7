using NanoAspire.Engine.Server.Hosting;
using NanoAspire.Engine.Server.Requests;
using NanoAspire.Protocol.Wire;

namespace NanoAspire.Engine.Server.Generation;

/// <summary>Runs parsed requests on the engine: both phases here, or from a hand-off.</summary>
internal sealed class RequestRunner(ServedModel model)
{
    private readonly PromptBuilder _prompts = new(model);
    private readonly AnswerTexts _texts = new(model);
    private readonly GrammarSource _grammars = new(model);

    /// <summary>Starts all choices of the request; with a hand-off, pulls the prompt's KV first.</summary>
    /// <exception cref="BadRequestException">The request cannot be served as it is.</exception>
    /// <exception cref="EngineRejectedException">The engine does not take it now.</exception>
    /// <exception cref="Transfer.KvTransferException">The hand-off could not be taken over; nothing was emitted.</exception>
    public async Task<RunningRequest> StartAsync(InferenceRequest request, CancellationToken ct)
    {
        var tickets = ReadTickets(request);
        if (tickets is null && !model.AllowLocal && model.Role is EngineRole.Decode)
            throw new BadRequestException("this engine only decodes: send kv_transfer_params.migration, or ask the router", "kv_transfer_params");
        if (tickets is null && !model.AllowLocal && model.Role is EngineRole.Prefill)
            throw new BadRequestException("this engine only prefills: send kv_transfer_params.do_remote_decode, or ask the router", "kv_transfer_params");
        var prompts = _prompts.Build(request);
        if (tickets is not null && tickets.Length != prompts.Count)
            throw new BadRequestException($"the migration holds {tickets.Length} prompts, the request {prompts.Count}", "kv_transfer_params");

        var choices = new List<(GenerationHandle, ChoiceText)>(prompts.Count * request.Choices);
        try
        {
            for (var p = 0; p < prompts.Count; p++)
            {
                var grammar = _grammars.Of(request, Asked(request, prompts[p]));
                for (var n = 0; n < request.Choices; n++)
                {
                    var generation = new GenerationRequest { PromptTokens = prompts[p], Sampling = SamplingOf(request, n), ResumedTokens = request.ResumeTokenIds?.Length ?? 0, Constraint = grammar };
                    // Choice 0 continues the hand-off; the others find the prompt's full blocks in the prefix cache then.
                    var handle = tickets is not null && n == 0
                        ? await TakeOverAsync(generation, tickets[p], ct)
                        : model.Loop.Submit(generation);
                    choices.Add((handle, _texts.Create(request, prompts[p])));
                }
            }
            return new RunningRequest(prompts, choices, ct);
        }
        catch
        {
            foreach (var (handle, _) in choices) handle.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Computes the prompts and their first tokens. Either everything ended with that token (deltas to answer with), or the
    /// KV of every prompt is parked under a lease (tickets).
    /// </summary>
    public async Task<PrefillResult> PrefillAsync(InferenceRequest request, CancellationToken ct)
    {
        var prompts = _prompts.Build(request);
        var single = prompts.Count * request.Choices == 1;
        var handles = new List<GenerationHandle>(prompts.Count);
        var tickets = new List<HandoffTicket>(prompts.Count);
        try
        {
            foreach (var prompt in prompts)
                handles.Add(model.Loop.Submit(new GenerationRequest
                {
                    PromptTokens = prompt,
                    Sampling = SamplingOf(request, 0),
                    ResumedTokens = request.ResumeTokenIds?.Length ?? 0,
                    Constraint = _grammars.Of(request, Asked(request, prompt)),
                    ParkAfterFirstToken = true,
                    ParkWhenFinished = !single,
                }));

            for (var p = 0; p < prompts.Count; p++)
            {
                var output = await FirstOutputAsync(handles[p], ct);
                if (output.Error is not null || output.Token is null) throw new EngineRejectedException(EngineRejectedException.Unhealthy, output.Error ?? "prefill was aborted");
                var first = _texts.Create(request, prompts[p]).Render(0, output);
                if (single && (output.Parked is null || first.FinishReason is not null))
                {
                    output.Parked?.Release();
                    return new PrefillResult(prompts, first, []);
                }
                if (output.Parked is not { } parked) throw new InvalidOperationException("the engine neither finished nor parked a prefill");
                tickets.Add(await model.Handoffs.ParkAsync(parked, prompts[p], output.Token, output.Finish switch
                {
                    FinishReason.Stop => "stop",
                    FinishReason.Length => "length",
                    _ => null,
                }, ct));
            }
            ct.ThrowIfCancellationRequested();
            return new PrefillResult(prompts, null, tickets);
        }
        catch
        {
            model.Handoffs.Free(tickets.Select(ticket => ticket.SeqId));
            throw;
        }
        finally
        {
            foreach (var handle in handles) handle.Dispose();
        }
    }

    private async Task<GenerationHandle> TakeOverAsync(GenerationRequest request, HandoffTicket ticket, CancellationToken ct)
    {
        var reservation = await model.Loop.ReserveAsync(request.PromptTokens, ct);
        try
        {
            await model.Puller.PullAsync(ticket, request.PromptTokens, reservation, model.Runner.KvMemory, ct);
            return model.Loop.Submit(request with
            {
                Reservation = reservation,
                FirstToken = new SampledToken(ticket.FirstToken.Id, ticket.FirstToken.Logprob,
                    ticket.FirstToken.TopLogprobs?.Select(top => (top.Id, top.Logprob)).ToArray()),
            });
        }
        catch
        {
            reservation.Dispose();
            throw;
        }
    }

    private static async Task<GenerationOutput> FirstOutputAsync(GenerationHandle handle, CancellationToken ct)
    {
        await foreach (var output in handle.Outputs.ReadAllAsync(ct)) return output;
        throw new InvalidOperationException("a sequence ended without an event");
    }

    /// <summary>The prompt without output of an earlier run.</summary>
    private static ReadOnlySpan<int> Asked(InferenceRequest request, int[] prompt) => prompt.AsSpan(0, prompt.Length - (request.ResumeTokenIds?.Length ?? 0));

    private static HandoffTicket[]? ReadTickets(InferenceRequest request)
    {
        if (request.KvTransfer?.Migration is not { } migration) return null;
        try { return MigrationText.Decode(migration); }
        catch (FormatException e) { throw new BadRequestException(e.Message, "kv_transfer_params.migration"); }
    }

    /// <summary>Choices of one request draw from different streams: choice n uses seed + n.</summary>
    private static SamplingParams SamplingOf(InferenceRequest request, int choice) =>
        request.Sampling.Seed is { } seed && choice > 0 ? request.Sampling with { Seed = unchecked(seed + choice) } : request.Sampling;
}

/// <param name="Prompts">Prompt ids, one list a prompt.</param>
/// <param name="Finished">Set when the request's only choice ended with its first token.</param>
/// <param name="Tickets">Else one a prompt.</param>
internal sealed record PrefillResult(IReadOnlyList<int[]> Prompts, ChoiceDelta? Finished, IReadOnlyList<HandoffTicket> Tickets);
