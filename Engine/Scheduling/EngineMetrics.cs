using System.Diagnostics;

namespace NanoAspire.Engine.Scheduling;

/// <summary>Counts and times what the engine does, for <see cref="EngineStatus"/> and for <see cref="Telemetry"/>. Owner thread only.</summary>
internal sealed class EngineMetrics(TimeProvider time, string? model)
{
    public long Preemptions { get; private set; }
    public long PromptTokens { get; private set; }
    public long GeneratedTokens { get; private set; }
    public long PrefixHitTokens { get; private set; }
    public long DraftedTokens { get; private set; }
    public long AcceptedTokens { get; private set; }
    public long Steps { get; private set; }
    public DateTimeOffset? LastStep { get; private set; }

    /// <summary>A sequence runs for the first time.</summary>
    public void Admitted(Sequence sequence)
    {
        var cached = sequence.CachedTokens ?? 0;
        PromptTokens += sequence.PromptLength;
        PrefixHitTokens += cached;
        Telemetry.Tokens.Add(sequence.PromptLength, Telemetry.Tag("kind", "prompt"));
        Telemetry.Tokens.Add(cached, Telemetry.Tag("kind", "cached"));
        Telemetry.PrefixHitTokens.Add(cached);
        var waited = time.GetElapsedTime(sequence.Arrived);
        Telemetry.QueueTime.Record(waited.TotalSeconds);
        // Known only at its end, and on this thread: the span is made whole, under the request that submitted the sequence.
        if (sequence.Trace != default) Telemetry.Source.StartActivity("queue", ActivityKind.Internal, sequence.Trace, startTime: time.GetUtcNow() - waited)?.Dispose();
    }

    public void Preempted(int sequences)
    {
        if (sequences == 0) return;
        Preemptions += sequences;
        Telemetry.Preemptions.Add(sequences);
    }

    /// <summary>A token was sampled here, or (not <paramref name="here"/>) taken over from the prefill engine that did.</summary>
    public void Token(Sequence sequence, bool here)
    {
        var now = time.GetTimestamp();
        if (here)
        {
            GeneratedTokens++;
            Telemetry.Tokens.Add(1, Telemetry.Tag("kind", "completion"));
            if (sequence.Generated == 0) Telemetry.TimeToFirstToken.Record(time.GetElapsedTime(sequence.Arrived, now).TotalSeconds, Tags());
            else Telemetry.InterTokenLatency.Record(time.GetElapsedTime(sequence.LastTokenAt, now).TotalSeconds);
        }
        if (sequence.Generated == 0) sequence.FirstTokenAt = now;
        sequence.LastTokenAt = now;
    }

    /// <summary>A step has checked drafts.</summary>
    public void Verified(int drafted, int accepted)
    {
        DraftedTokens += drafted;
        AcceptedTokens += accepted;
        Telemetry.DraftedTokens.Add(drafted);
        Telemetry.AcceptedTokens.Add(accepted);
    }

    public void Ended(Sequence sequence, FinishReason? reason)
    {
        var outcome = reason switch
        {
            FinishReason.Stop => "stop",
            FinishReason.Length => "length",
            FinishReason.Abort => "abort",
            FinishReason.Error => "error",
            _ => "parked",
        };
        Telemetry.Finished.Add(1, Telemetry.Tag("reason", outcome));
        var tags = Tags();
        if (sequence.Generated > 1)
            Telemetry.TimePerOutputToken.Record(time.GetElapsedTime(sequence.FirstTokenAt, sequence.LastTokenAt).TotalSeconds / (sequence.Generated - 1), tags);
        if (reason == FinishReason.Error) tags.Add("error.type", "engine_error");
        Telemetry.RequestDuration.Record(time.GetElapsedTime(sequence.Arrived).TotalSeconds, tags);
    }

    public void Stepped(StepPlan plan, long started)
    {
        Steps++;
        LastStep = time.GetUtcNow();
        Telemetry.StepDuration.Record(time.GetElapsedTime(started).TotalSeconds, Telemetry.Tag("kind", plan.Kind));
        Telemetry.BatchSize.Record(plan.Parts.Count);
        Telemetry.BatchTokens.Record(plan.Tokens);
    }

    private TagList Tags()
    {
        var tags = new TagList { { "gen_ai.provider.name", "nanoaspire" } };
        if (model is not null) tags.Add("gen_ai.request.model", model);
        return tags;
    }
}
