using System.Runtime.InteropServices;
using NanoAspire.Engine.Execution;

namespace NanoAspire.Engine.Scheduling;

/// <summary>What a planned step does.</summary>
internal sealed partial class EngineCore
{
    private void Run()
    {
        FillBatch();
        var started = _time.GetTimestamp();
        var vocab = _runner.Model.VocabSize;
        var rows = _batch.LogitsRows * vocab;
        if (_logits.Length < rows) _logits = new float[rows];
        try
        {
            _runner.Run(_batch, _logits.AsSpan(0, rows));
        }
        catch (Exception e)                                // whatever it was, it concerns the sequences of this step and no others
        {
            Fail(e);
            return;
        }

        var (row, token) = (0, 0);
        _computed.Clear();
        foreach (var (sequence, tokens, drafts) in _plan.Parts)
        {
            var (start, accepted) = (sequence.Computed, 0);
            if (drafts > 0)
            {
                accepted = Verify(sequence, drafts, _logits.AsSpan(row * vocab, (1 + drafts) * vocab));
                row += 1 + drafts;
            }
            else
            {
                Scheduler.Advance(sequence, tokens);
                if (sequence.Remaining == 0) Sample(sequence, _logits.AsSpan(row++ * vocab, vocab));
            }
            sequence.Drafts.Clear();
            if (sequence.State == ClaimState.Running) _computed.Add(new(sequence, token, start, tokens + accepted));
            token += tokens + drafts;
        }
        _metrics.Stepped(_plan, started);
        Draft();
    }

    /// <summary>
    /// Samples behind the last known token, and behind each draft for as long as the drafts are what was sampled. A row of logits is what it
    /// would have been in a step of its own, and sampling depends on nothing but the row and the tokens before it: so the tokens are those
    /// of plain decoding, whatever was guessed.
    /// </summary>
    /// <param name="sequence">With one token and its drafts computed.</param>
    /// <param name="drafts">Of its drafts, the leading ones.</param>
    /// <param name="logits">[1 + drafts, vocab]</param>
    /// <returns>Drafts that became tokens.</returns>
    private int Verify(Sequence sequence, int drafts, ReadOnlySpan<float> logits)
    {
        var vocab = logits.Length / (1 + drafts);
        var recurrent = _pool.States is not null;          // its state is the one after all drafts: right only if all are accepted
        var accepted = 0;
        for (var row = 0; row <= drafts; row++)
        {
            if (!recurrent) Scheduler.Advance(sequence, 1);
            var known = sequence.TokenCount;
            Sample(sequence, logits.Slice(row * vocab, vocab));
            if (row == drafts || sequence.TokenCount == known || sequence.Tokens[^1] != sequence.Drafts[row]) break;
            accepted++;
            if (sequence.State != ClaimState.Running) break;
        }
        _metrics.Verified(drafts, accepted);
        sequence.Verified(drafts, accepted);
        if (!recurrent || sequence.State != ClaimState.Running) return accepted;
        if (accepted == drafts) Scheduler.Advance(sequence, 1 + drafts);
        else sequence.Behind = sequence.Remaining - 1;
        return accepted;
    }

    private void Draft()
    {
        try
        {
            if (_computed.Count > 0) _drafter?.Draft(_computed);
            _failures = 0;
        }
        catch (Exception e)                                // a drafter that runs a model, as above
        {
            Fail(e);
        }
    }

    private void FillBatch()
    {
        _batch.Clear();
        var axes = _plan.Parts.Exists(part => part.Sequence.Positions is not null);
        foreach (var (sequence, tokens, drafts) in _plan.Parts)
        {
            var end = sequence.Computed + tokens;
            _batch.Sequences.Add(new(_batch.Tokens.Count, tokens + drafts, end + drafts, sequence.Table.Blocks, NeedsLogits: end == sequence.TokenCount)
            {
                Drafts = drafts, StateSource = sequence.Table.StateSource, StateTarget = sequence.Table.StateTarget,
            });
            _batch.AddImages(sequence.Images, sequence.Computed, end);
            _batch.Tokens.AddRange(sequence.Tokens[sequence.Computed..end]);
            _batch.Tokens.AddRange(CollectionsMarshal.AsSpan(sequence.Drafts)[..drafts]);
            for (var token = sequence.Computed; token < end + drafts; token++)
            {
                var position = sequence.Positions?.Of(token) ?? TokenPosition.Text(token);
                _batch.Positions.Add(position.Time);
                if (axes) _batch.Axes.Add(position);
            }
        }
    }

    private void Sample(Sequence sequence, ReadOnlySpan<float> logits)
    {
        var matcher = sequence.Matcher;
        var mayEnd = matcher is { IsComplete: true } && sequence.StopIds.Length > 0;
        if (sequence.HasStrayed || (matcher is { Mask.IsEmpty: true } && !mayEnd))
        {
            Finish(sequence, FinishReason.Error, sequence.HasStrayed ? Strayed : "no token of the vocabulary continues the output within its constraint");
            return;
        }
        var token = _sampler.Sample(logits, new()
        {
            Params = sequence.Request.Sampling,
            Tokens = sequence.Tokens,
            PromptLength = sequence.OutputStart,
            StopIds = sequence.StopIds,
            Key = sequence.RandomKey,
            Allowed = matcher?.Mask,
            MayEnd = mayEnd,
        });
        if (token is null)
        {
            _logger.NoChoice(sequence.Id);
            sequence.Table.Forget();                       // nobody shall hit what may have led here
            Finish(sequence, FinishReason.Error, "the logits allow no choice of a token");
            return;
        }
        _metrics.Token(sequence, here: true);
        Accept(sequence, token, sequence.Request.CaptureLogits ? logits.ToArray() : null);
    }

    private void Fail(Exception exception)
    {
        Telemetry.FailedSteps.Add(1);
        _logger.StepFailed(_plan.Parts.Count, ++_failures, exception);
        foreach (var (sequence, _, _) in _plan.Parts)
            if (sequence.State == ClaimState.Running) Finish(sequence, FinishReason.Error, $"the model runner failed: {exception.Message}");
        if (_failures < MaxFailures) return;
        _logger.Unhealthy(_failures);
        _healthy = false;
        EndAll(FinishReason.Error, "the engine is unhealthy");
    }
}
