namespace NanoAspire.Engine.Text.Jinja;

/// <summary>{% for target in items if condition recursive %}…{% else %}…{% endfor %}</summary>
internal sealed class ForStatement(int line, Target target, Expression items, Expression? condition, Body body, Body? otherwise, bool recursive) : Statement(line)
{
    protected override Flow Run(RenderContext context, Scope scope)
    {
        Loop(context, scope, items.Evaluate(context, scope), depth: 1);
        return Flow.Next;
    }

    /// <summary>One run through the loop; a recursive loop comes back here for its children.</summary>
    internal void Loop(RenderContext context, Scope scope, object? value, int depth)
    {
        var all = PyTypes.Iterate(context, value);
        if (condition is not null) all = all.FindAll(item => PyTypes.IsTrue(condition.Evaluate(context, Bind(context, scope, item))));

        var loop = new LoopVariable(all, depth, recursive ? this : null, scope);
        for (; loop.Index < all.Count; loop.Index++)
        {
            var inner = Bind(context, scope, all[loop.Index]);
            inner["loop"] = loop;
            if (body.Execute(context, inner) == Flow.Break) break;
        }
        if (all.Count == 0) otherwise?.Execute(context, new Scope(scope));
    }

    /// <summary>Every iteration has a scope of its own: what it sets is gone with it.</summary>
    private Scope Bind(RenderContext context, Scope scope, object? item)
    {
        var inner = new Scope(scope);
        target.Assign(context, inner, item);
        return inner;
    }
}

/// <summary>The variable "loop". Called, it runs a recursive loop over other items.</summary>
internal sealed class LoopVariable(List<object?> items, int depth, ForStatement? recursive, Scope scope) : ICallable
{
    private PySequence? _changed;

    /// <summary>Counts from 0.</summary>
    public int Index { get; set; }

    public int Length => items.Count;

    public IEnumerable<object?> Remaining() => items.Skip(Index + 1);

    public object? Call(RenderContext context, Arguments arguments)
    {
        if (recursive is null) throw new TemplateError("the loop must have the 'recursive' marker to be called");
        var children = arguments.Take("iterable");
        arguments.End();
        return context.Nested(() => context.Capture(() => recursive.Loop(context, scope, children, depth + 1)));
    }

    public bool TryAttribute(string name, out object? value)
    {
        value = name switch
        {
            "index" => Index + 1L,
            "index0" => (long)Index,
            "revindex" => (long)items.Count - Index,
            "revindex0" => items.Count - Index - 1L,
            "first" => Index == 0,
            "last" => Index == items.Count - 1,
            "length" => (long)items.Count,
            "depth" => (long)depth,
            "depth0" => depth - 1L,
            "previtem" => Index > 0 ? items[Index - 1] : new Undefined("there is no previous item"),
            "nextitem" => Index + 1 < items.Count ? items[Index + 1] : new Undefined("there is no next item"),
            "cycle" => new Function("cycle", (_, arguments) => Cycle(arguments.TakeRest())),
            "changed" => new Function("changed", (_, arguments) => Changed(new PySequence(arguments.TakeRest(), isTuple: true))),
            _ => null,
        };
        return value is not null || name is "previtem" or "nextitem";
    }

    private object? Cycle(List<object?> values) => values.Count > 0 ? values[Index % values.Count] : throw new TemplateError("no items for cycling given");

    private bool Changed(PySequence values)
    {
        if (_changed is not null && PyCompare.AreEqual(_changed, values)) return false;
        _changed = values;
        return true;
    }
}
