namespace NanoAspire.Engine.Text.Patterns;

internal enum Op { One, Loop, Split, Jump, Look, Atomic, Position, Done }

/// <summary>
/// One step of a compiled pattern. <paramref name="X"/> and <paramref name="Y"/> are the minimum and maximum of a loop (-1: unbounded),
/// or the preferred and the other target of a split; <paramref name="X"/> alone is a jump's target or a look-behind's length.
/// </summary>
internal readonly record struct Instruction(Op Op, RuneSet? Set = null, int X = 0, int Y = 0, bool Flag = false, Instruction[]? Body = null);

/// <summary>
/// A regular expression over code points. .NET's own works on UTF-16 units, where no supplementary character is a letter,
/// a number or a symbol, and would split them differently from the tokenizer's reference. Immutable; matching state is in <see cref="RuneMatcher"/>.
/// </summary>
internal sealed class RunePattern
{
    private const int MaxInstructions = 20_000;

    private RunePattern(Instruction[] program) => Program = program;

    public Instruction[] Program { get; }

    /// <exception cref="FormatException">See <see cref="PatternParser.Parse"/>.</exception>
    public static RunePattern Parse(string pattern) => new(Compile(PatternParser.Parse(pattern)));

    private static Instruction[] Compile(PatternNode node)
    {
        var program = new List<Instruction>();
        Emit(node, program);
        program.Add(new(Op.Done));
        return [.. program];
    }

    private static void Emit(PatternNode node, List<Instruction> program)
    {
        if (program.Count > MaxInstructions) throw new FormatException("the pattern is too large");
        switch (node)
        {
            case PatternNode.One one:
                program.Add(new(Op.One, one.Set));
                break;
            case PatternNode.Sequence sequence:
                foreach (var part in sequence.Parts) Emit(part, program);
                break;
            case PatternNode.Choice choice:
                EmitChoice(choice.Options, program);
                break;
            case PatternNode.Repeat { Body: PatternNode.One one, Greed: not Greed.Lazy } repeat:
                program.Add(new(Op.Loop, one.Set, repeat.Min, repeat.Max ?? -1, Flag: repeat.Greed == Greed.Possessive));
                break;
            case PatternNode.Repeat { Greed: Greed.Possessive } repeat:
                program.Add(new(Op.Atomic, Body: Compile(repeat with { Greed = Greed.Greedy })));
                break;
            case PatternNode.Repeat repeat:
                EmitRepeat(repeat, program);
                break;
            case PatternNode.Look look:
                program.Add(new(Op.Look, X: look.Ahead ? 0 : look.Body.Length.Min, Flag: look.Negative, Body: Compile(look.Body)));
                break;
            case PatternNode.Atomic atomic:
                program.Add(new(Op.Atomic, Body: Compile(atomic.Body)));
                break;
            case PatternNode.Position position:
                program.Add(new(Op.Position, X: (int)position.Anchor));
                break;
        }
    }

    private static void EmitChoice(IReadOnlyList<PatternNode> options, List<Instruction> program)
    {
        var exits = new List<int>();
        for (var i = 0; i < options.Count - 1; i++)
        {
            var split = program.Count;
            program.Add(default);
            Emit(options[i], program);
            exits.Add(program.Count);
            program.Add(default);
            program[split] = new(Op.Split, X: split + 1, Y: program.Count);
        }
        Emit(options[^1], program);
        foreach (var exit in exits) program[exit] = new(Op.Jump, X: program.Count);
    }

    private static void EmitRepeat(PatternNode.Repeat repeat, List<Instruction> program)
    {
        var lazy = repeat.Greed == Greed.Lazy;
        for (var i = 0; i < repeat.Min; i++) Emit(repeat.Body, program);
        if (repeat.Max is not { } max)
        {
            var split = program.Count;
            program.Add(default);
            Emit(repeat.Body, program);
            program.Add(new(Op.Jump, X: split));
            program[split] = Fork(split + 1, program.Count, lazy);
            return;
        }
        var splits = new List<int>();
        for (var i = repeat.Min; i < max; i++)
        {
            splits.Add(program.Count);
            program.Add(default);
            Emit(repeat.Body, program);
        }
        foreach (var split in splits) program[split] = Fork(split + 1, program.Count, lazy);
    }

    private static Instruction Fork(int body, int exit, bool lazy) => lazy ? new(Op.Split, X: exit, Y: body) : new(Op.Split, X: body, Y: exit);
}
