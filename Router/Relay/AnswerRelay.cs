using System.Buffers;
using System.Net;
using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Http.Features;
using NanoAspire.Router.Options;

namespace NanoAspire.Router.Relay;

/// <summary>
/// Brings one engine's answer to the client byte for byte, or says why nothing of it got there. Memory is bounded: a stream passes
/// through one buffer, and a client that reads slowly makes the engine wait, nobody else.
/// </summary>
internal sealed class AnswerRelay(AnswerLeg leg, DeadlineOptions deadlines, Deadline deadline, TimeProvider time)
{
    private const int MaxErrorBytes = 1 << 20;
    /// <summary>A whole answer up to this size is complete before its first byte is sent on: until then another engine can take over.</summary>
    private const int MaxHeldAnswer = 4 << 20;
    private const int FirstBuffer = 16 << 10;
    /// <summary>An event longer than this is passed on in pieces.</summary>
    private const int MaxHeldEvent = 64 << 10;

    /// <summary>Null until an engine's answer has come to an end.</summary>
    public LegResult? Result { get; private set; }

    /// <summary>What ended the relay when that was not the engine: the client's leaving, first of all.</summary>
    public ExceptionDispatchInfo? Failure { get; private set; }

    /// <summary>Throws nothing, since YARP would clear the response over it, begun or not: look at <see cref="Result"/> and <see cref="Failure"/>.</summary>
    public async Task RunAsync(HttpContext http, HttpResponseMessage response, Func<ValueTask<bool>> copyHeaders)
    {
        try
        {
            Result = (int)response.StatusCode switch
            {
                >= 500 or 408 => await FailureAsync(response),
                >= 400 when http.Response.HasStarted => await FailureAsync(response),   // an answer that goes on cannot become a refusal
                >= 400 => await RefusalAsync(http, response, copyHeaders),
                _ when response.Content.Headers.ContentType?.MediaType is "text/event-stream" => await StreamAsync(http, response, copyHeaders),
                _ when http.Response.HasStarted => new LegResult(LegStatus.Died, "no stream to go on with"),
                _ => await WholeAsync(http, response, copyHeaders),
            };
        }
        catch (Exception e) when (IsEnginesFault(e))
        {
            Result = deadline.Passed ? new LegResult(LegStatus.TimedOut, "no answer in time") : new LegResult(LegStatus.Died, e.Message);
        }
        catch (Exception e)
        {
            Failure = ExceptionDispatchInfo.Capture(e);
        }
    }

    private async Task<LegResult> FailureAsync(HttpResponseMessage response)
    {
        var body = await ReadErrorAsync(response);
        var error = EngineErrorBody.Parse(body);
        var reason = error.Message ?? $"status {(int)response.StatusCode}";
        if (Blamed(error) is { } blamed) return new LegResult(blamed, reason);
        return new LegResult(LegStatus.Failed, reason, Busy: response.StatusCode is HttpStatusCode.ServiceUnavailable);
    }

    private async Task<LegResult> RefusalAsync(HttpContext http, HttpResponseMessage response, Func<ValueTask<bool>> copyHeaders)
    {
        var body = await ReadErrorAsync(response);
        var error = EngineErrorBody.Parse(body);
        if (Blamed(error) is { } blamed) return new LegResult(blamed, error.Message);
        await CopyHeadersAsync(http, copyHeaders);
        leg.Report.ErrorCode = error.Code;
        await http.Response.Body.WriteAsync(body, deadline.Token);
        return LegResult.Refused;
    }

    /// <summary>What of the work before this engine's the error is about; null when it is the engine's own.</summary>
    private LegStatus? Blamed(EngineErrorBody error) =>
        leg.Handoff && error.BlamesHandoff ? LegStatus.HandoffRefused : leg.Slots && error.BlamesSlots ? LegStatus.SlotsLost : null;

    private async Task<byte[]> ReadErrorAsync(HttpResponseMessage response)
    {
        deadline.Restart(deadlines.Silence);
        return await EngineClient.ReadAsync(response.Content, MaxErrorBytes, deadline.Token) ?? throw new IOException("the error is longer than any error should be");
    }

    private async Task<LegResult> WholeAsync(HttpContext http, HttpResponseMessage response, Func<ValueTask<bool>> copyHeaders)
    {
        await using var source = await response.Content.ReadAsStreamAsync(deadline.Token);
        var held = ArrayPool<byte>.Shared.Rent((int)Math.Clamp(response.Content.Headers.ContentLength + 1 ?? FirstBuffer, FirstBuffer, MaxHeldAnswer));
        var length = 0;
        var sent = false;
        try
        {
            while (true)
            {
                deadline.Restart(deadlines.Silence);
                var read = await source.ReadAsync(held.AsMemory(length), deadline.Token);
                length += read;
                if (read == 0) break;
                if (length < held.Length) continue;
                if (length < MaxHeldAnswer)
                {
                    Grow(ref held, length);
                    continue;
                }
                if (!sent) await BeginAsync(http, copyHeaders);
                sent = true;
                await WriteAsync(http, held.AsMemory(0, length));
                length = 0;
            }
            if (!sent)
            {
                AnswerFacts.Read(held.AsSpan(0, length), leg.Report);
                await BeginAsync(http, copyHeaders);
                leg.Report.FirstToken ??= time.GetElapsedTime(leg.Report.Started);
            }
            ReadOnlyMemory<byte> last = held.AsMemory(0, length);
            if (!sent && leg.Rewriter is { } rewriter)
            {
                last = rewriter.Whole(last);
                http.Response.ContentLength = last.Length;
            }
            await WriteAsync(http, last);
            return LegResult.Completed;
        }
        catch (SlowReaderException)
        {
            return Stalled(http);
        }
        catch (Exception e) when (sent && IsEnginesFault(e))
        {
            http.Abort();   // half of a JSON document: only a broken connection tells the client
            return new LegResult(LegStatus.Broken, e.Message);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(held);
        }
    }

    private async Task<LegResult> StreamAsync(HttpContext http, HttpResponseMessage response, Func<ValueTask<bool>> copyHeaders)
    {
        await using var source = await response.Content.ReadAsStreamAsync(deadline.Token);
        var tap = new StreamTap(leg.Report, time);
        var buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
        var (length, sent, insideEvent) = (0, false, false);
        try
        {
            while (true)
            {
                if (sent) deadline.Restart(deadlines.Silence);   // until then the first-byte deadline runs on
                var read = await source.ReadAsync(buffer.AsMemory(length), deadline.Token);
                length += read;
                var pass = read == 0 ? length : SseEvents.WholeLength(buffer.AsSpan(0, length));
                if (pass == 0 && read > 0)
                {
                    if (length < buffer.Length) continue;
                    if (buffer.Length < MaxHeldEvent)
                    {
                        Grow(ref buffer, length);
                        continue;
                    }
                    pass = length;
                }
                if (pass > 0)
                {
                    if (!sent)
                    {
                        if (FirstIsError(buffer.AsSpan(0, pass)) is { } failure) return failure;
                        await BeginStreamAsync(http, copyHeaders);
                        sent = true;
                    }
                    tap.See(buffer.AsSpan(0, pass));
                    insideEvent = pass == length && SseEvents.WholeLength(buffer.AsSpan(0, pass)) != pass;
                    var (bytes, failed) = (new ReadOnlyMemory<byte>(buffer, 0, pass), false);
                    if (leg.Progress is { } progress) bytes = progress.Pass(buffer.AsSpan(0, pass), out failed);
                    if (leg.Rewriter is { } rewriter) bytes = rewriter.Pass(bytes.Span);
                    if (!bytes.IsEmpty) await WriteAsync(http, bytes);
                    if (failed) return await BreakOffAsync(http, insideEvent: false, new IOException("the engine reported a failure in the stream"));
                    buffer.AsSpan(pass, length - pass).CopyTo(buffer);
                    length -= pass;
                }
                if (read == 0) break;
            }
            if (!sent) return new LegResult(LegStatus.Died, "the stream was empty");
            if (leg.Progress is not null && !tap.Done) return await BreakOffAsync(http, insideEvent, new IOException("the stream ended early"));
            return tap.Error ? new LegResult(LegStatus.Broken, "the engine reported a failure in the stream") : LegResult.Completed;
        }
        catch (SlowReaderException)
        {
            return Stalled(http);
        }
        catch (Exception e) when (sent && IsEnginesFault(e))
        {
            return await BreakOffAsync(http, insideEvent, e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>A stream that opens with an error has not begun: another engine may do better.</summary>
    private LegResult? FirstIsError(ReadOnlySpan<byte> events)
    {
        if (!SseEvents.TryNextData(ref events, out var data) || !StreamTap.IsError(data)) return null;
        var error = EngineErrorBody.Parse(data.ToArray());
        return new LegResult(Blamed(error) ?? LegStatus.Failed, error.Message);
    }

    /// <summary>The engine is gone in mid-stream: the client hears of it unless another engine can go on.</summary>
    private async Task<LegResult> BreakOffAsync(HttpContext http, bool insideEvent, Exception cause)
    {
        var reason = deadline.Passed ? "the stream fell silent" : cause.Message;
        if (leg.Progress is { Known: true } && !insideEvent) return new LegResult(LegStatus.Interrupted, reason);
        await EndWithErrorAsync(http, insideEvent, cause);
        return new LegResult(LegStatus.Broken, reason);
    }

    private async Task EndWithErrorAsync(HttpContext http, bool insideEvent, Exception cause)
    {
        var error = ErrorReply.NodeFailed(deadline.Passed ? "the stream fell silent" : "the engine's connection broke");
        leg.Report.ErrorCode = error.Code;
        if (insideEvent) await http.Response.Body.WriteAsync("\n\n"u8.ToArray(), http.RequestAborted);
        await http.Response.Body.WriteAsync(error.ToEvent(), http.RequestAborted);
        System.Diagnostics.Activity.Current?.AddException(cause);
    }

    private async Task BeginAsync(HttpContext http, Func<ValueTask<bool>> copyHeaders)
    {
        leg.Answered?.Invoke();
        if (http.Response.HasStarted) return;
        await CopyHeadersAsync(http, copyHeaders);
    }

    private async Task BeginStreamAsync(HttpContext http, Func<ValueTask<bool>> copyHeaders)
    {
        var started = http.Response.HasStarted;
        await BeginAsync(http, copyHeaders);
        if (started) return;
        http.Response.Headers.CacheControl = "no-cache";
        http.Response.Headers["X-Accel-Buffering"] = "no";
        http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
    }

    private async Task CopyHeadersAsync(HttpContext http, Func<ValueTask<bool>> copyHeaders)
    {
        await copyHeaders();
        http.Response.Headers[RequestIds.Header] = leg.Request.RequestId;   // the engine may have its own idea
    }

    private async Task WriteAsync(HttpContext http, ReadOnlyMemory<byte> bytes)
    {
        deadline.Restart(deadlines.SlowReader);
        try
        {
            await http.Response.BodyWriter.WriteAsync(bytes, deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.Passed)
        {
            throw new SlowReaderException();
        }
    }

    private static LegResult Stalled(HttpContext http)
    {
        http.Abort();
        return new LegResult(LegStatus.ClientStalled, "the client stopped reading");
    }

    /// <summary>A broken connection or a passed deadline; the client's own leaving is neither.</summary>
    private bool IsEnginesFault(Exception e) => e is IOException or HttpRequestException || (e is OperationCanceledException && deadline.Passed);

    private static void Grow(ref byte[] buffer, int length)
    {
        var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
        buffer.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }

    private sealed class SlowReaderException : Exception;
}
