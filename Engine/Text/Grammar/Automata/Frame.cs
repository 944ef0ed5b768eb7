namespace NanoAspire.Engine.Text.Grammar.Automata;

/// <summary>
/// One entry of a stack: where to go on when a called rule ends. Immutable, shared, and unique among equals within one
/// <see cref="Tables"/>, so that stacks compare by reference.
/// </summary>
internal sealed class Frame(int id, Frame? parent, GrammarState? target, GrammarRule? loop, int need, int room, int nest)
{
    /// <summary>The bottom of every stack: the rule that was started has ended.</summary>
    public static Frame Bottom { get; } = new(0, null, null, null, 0, 0, 0);

    public int Id { get; } = id;
    public Frame? Parent { get; } = parent;
    public GrammarState? Target { get; } = target;
    /// <summary>Null for a plain call; else the rule to run again, at least <see cref="Need"/> and at most <see cref="Room"/> times.</summary>
    public GrammarRule? Loop { get; } = loop;
    public int Need { get; } = need;
    /// <summary><see cref="int.MaxValue"/>: without limit.</summary>
    public int Room { get; } = room;
    /// <summary>Levels of nesting that are open.</summary>
    public int Nest { get; } = nest;
}

/// <summary>A state with its stack, ready to consume.</summary>
internal readonly record struct Item(GrammarState State, Frame Frame) : IComparable<Item>
{
    public int CompareTo(Item other) => State.Id != other.State.Id ? State.Id.CompareTo(other.State.Id) : Frame.Id.CompareTo(other.Frame.Id);
}
