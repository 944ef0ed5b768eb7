using NanoAspire.Engine.Kernels.Tests.Generation;

namespace NanoAspire.Engine.Kernels.Tests.Speculation;

/// <summary>DeepSeek-V4 checkpoints whose draft module knows what the model does, by construction and not by training.</summary>
internal static class PredictiveCheckpoint
{
    /// <summary>
    /// The module is the model's first layer once more, its entrance the embedding of the following token, so at place i it computes what that
    /// layer computes for token i + 1. The model's further layers, with entries and all, say but little: <paramref name="further"/> scales their outputs.
    /// The heads take all streams alike, whose sum the mixing of a layer keeps.
    /// </summary>
    /// <param name="seed">Of shapes and weights.</param>
    /// <param name="further">0: the module is the model, where both see a whole window.</param>
    /// <param name="flaw">Of the module.</param>
    /// <param name="vocabulary">Null: as it comes.</param>
    public static RandomCheckpoint CopiesTheFirstLayer(int seed, float further, ModuleFlaw flaw = ModuleFlaw.None, int? vocabulary = null)
    {
        var checkpoint = Start(seed, out var stored);
        var hidden = (int)checkpoint.Plan.Config["hidden_size"]!;
        if (vocabulary is { } tokens)
        {
            checkpoint.Plan.Config["vocab_size"] = tokens;
            foreach (var name in (string[])["embed.weight", "head.weight"]) stored.Set(name, [tokens, hidden], stored[name][..(tokens * hidden)]);
        }
        var embedding = stored["embed.weight"];
        for (var row = 0; row < embedding.Length / hidden; row++)            // of size 1, as the entrance's norm leaves them
        {
            var size = MathF.Sqrt(embedding.AsSpan(row * hidden, hidden).ToArray().Sum(x => x * x) / hidden);
            for (var c = 0; c < hidden; c++) embedding[row * hidden + c] /= size;
        }
        foreach (var name in stored.Names.ToArray())
        {
            if (name.StartsWith("layers.0.", StringComparison.Ordinal)) stored.Set("mtp.0." + name["layers.0.".Length..], stored.Shape(name), stored[name]);
            else if (IsOutput(name) && !name.StartsWith("mtp.", StringComparison.Ordinal)) stored.Fill(name, i => stored[name][i] * further);
        }
        foreach (var prefix in (string[])["", "mtp.0."])
        {
            stored.Fill(prefix + "hc_head_fn", _ => 0);
            stored.Fill(prefix + "hc_head_base", _ => 0);
        }
        stored.Set("mtp.0.norm.weight", [hidden], stored["norm.weight"]);
        stored.Fill("mtp.0.enorm.weight", _ => 1);
        stored.Fill("mtp.0.h_proj.weight", _ => 0);
        if (flaw != ModuleFlaw.Entrance) stored.Fill("mtp.0.e_proj.weight", i => i / hidden == i % hidden ? 1 : 0);
        if (flaw == ModuleFlaw.SeesNoOtherPlaces) stored.Fill("mtp.0.attn.attn_sink", _ => 1000);
        return Write(checkpoint, stored);
    }

    /// <summary>
    /// Token t is unit vector t, layers pass it on, and the head says what follows in a cycle through all tokens. The module sees the model's streams
    /// alone and turns them one place further along the cycle.
    /// </summary>
    /// <param name="seed">Of shapes and cycle.</param>
    /// <param name="broken">The module turns along another cycle.</param>
    public static RandomCheckpoint TurnsTheStreams(int seed, bool broken = false)
    {
        var checkpoint = Start(seed, out var stored);
        var hidden = (int)checkpoint.Plan.Config["hidden_size"]!;
        checkpoint.Plan.Config["vocab_size"] = hidden;
        var random = new Random(seed);
        var (cycle, other) = (Matrix(Cycle()), Matrix(Cycle()));
        stored.Set("embed.weight", [hidden, hidden], [.. Enumerable.Range(0, hidden * hidden).Select(i => i / hidden == i % hidden ? MathF.Sqrt(hidden) : 0)]);
        stored.Set("head.weight", [hidden, hidden], cycle);
        foreach (var name in stored.Names.Where(IsOutput).ToArray()) stored.Fill(name, _ => 0);
        foreach (var norm in (string[])["norm.weight", "mtp.0.norm.weight", "mtp.0.hnorm.weight"]) stored.Fill(norm, _ => 1);
        stored.Fill("mtp.0.e_proj.weight", _ => 0);
        stored.Set("mtp.0.h_proj.weight", [hidden, hidden], broken ? other : cycle);
        return Write(checkpoint, stored);

        int[] Cycle()
        {
            var order = Enumerable.Range(0, hidden).ToArray();
            random.Shuffle(order);
            var next = new int[hidden];
            for (var i = 0; i < hidden; i++) next[order[i]] = order[(i + 1) % hidden];
            return next;
        }

        float[] Matrix(int[] next)
        {
            var matrix = new float[hidden * hidden];
            for (var token = 0; token < hidden; token++) matrix[next[token] * hidden + token] = 1;
            return matrix;
        }
    }

    /// <summary>A window, entries chosen and not chosen, and experts by score everywhere, as in the module.</summary>
    private static RandomCheckpoint Start(int seed, out StoredTensors stored)
    {
        var random = new Random(seed);
        var plan = RandomFamilies.DeepSeekV4(random, modules: 1, fixedRatios: [0, 4, 128, 7], fixedHashed: 0);
        plan.Config["sliding_window"] = 9;
        plan.Config["hc_sinkhorn_iters"] = 20;
        var checkpoint = RandomCheckpoint.Write(plan, random);
        stored = StoredTensors.Read(checkpoint.Folder);
        return checkpoint;
    }

    private static RandomCheckpoint Write(RandomCheckpoint checkpoint, StoredTensors stored)
    {
        File.WriteAllText(checkpoint.PathOf("config.json"), checkpoint.Plan.Config.ToJsonString());
        stored.Write(checkpoint.Folder);
        return checkpoint;
    }

    private static bool IsOutput(string name) => name.EndsWith(".wo_b.weight", StringComparison.Ordinal) || name.EndsWith(".w2.weight", StringComparison.Ordinal);
}
