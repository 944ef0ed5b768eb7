using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using NanoAspire.Engine.Tests.Fakes;
using static NanoAspire.Engine.Tests.Fakes.LoopFixture;

namespace NanoAspire.Engine.Tests;

public sealed class TelemetryTests
{
    [Fact]
    public async Task The_engine_counts_what_it_does()
    {
        var model = $"model-{Guid.NewGuid():N}";           // other tests run their engines beside this one
        var measured = new ConcurrentBag<(string Instrument, double Value, string? Model, object? Tag)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == "NanoAspire.Engine") listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((i, value, tags, _) => Record(i, value, tags));
        listener.SetMeasurementEventCallback<long>((i, value, tags, _) => Record(i, value, tags));
        listener.SetMeasurementEventCallback<int>((i, value, tags, _) => Record(i, value, tags));
        listener.Start();

        await using var engine = new LoopFixture(options: new() { ModelName = model });
        for (var i = 0; i < 2; i++) Assert.Equal(4, (await Tokens(engine.Loop.Submit(Greedy(Prompt(9), 4)))).Length);
        using var reservation = await engine.Loop.ReserveAsync(Prompt(5, start: 30), default);
        listener.RecordObservableInstruments();

        Assert.Equal(2, Of("gen_ai.server.time_to_first_token"));
        Assert.Equal(2, Of("gen_ai.server.time_per_output_token"));
        Assert.Equal(2, Of("gen_ai.server.request.duration"));
        foreach (var name in new[] { "itl_seconds", "queue_seconds", "step_seconds", "batch_size", "batch_tokens", "requests_running", "requests_waiting", "parked_sequences", "sequences_finished_total" })
            Assert.Contains(measured, m => m.Instrument == name);
        Assert.Contains(measured, m => m is { Instrument: "prefix_hit_tokens_total", Value: 8 });
        Assert.Contains(measured, m => m is { Instrument: "tokens_total", Value: 9, Tag: "prompt" });
        Assert.Equal(["cached", "free", "parked", "used"], measured.Where(m => m.Instrument == "kv_blocks").Select(m => m.Tag).Order());
        Assert.Contains(measured, m => m is { Instrument: "kv_blocks", Tag: "used", Value: >= 2 });
        Assert.Equal(["free", "used"], measured.Where(m => m.Instrument == "state_slots").Select(m => m.Tag).Order());

        int Of(string instrument) => measured.Count(m => m.Instrument == instrument && m.Model == model);

        void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            string? name = null;
            object? other = null;
            foreach (var tag in tags)
            {
                if (tag.Key == "gen_ai.request.model") name = tag.Value as string; else other = tag.Value;
            }
            measured.Add((instrument.Name, value, name, other));
        }
    }
}
