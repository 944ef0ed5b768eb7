namespace NanoAspire.Engine.Text.Jinja;

/// <summary>Python's equality, ordering and membership.</summary>
internal static class PyCompare
{
    private const int MaxDepth = 100;

    public static bool AreEqual(object? a, object? b, int depth = 0)
    {
        if (depth > MaxDepth) throw new TemplateError("maximum recursion depth exceeded in comparison");
        switch (a, b)
        {
            case (null, null): return true;
            case (string x, string y): return x == y;
            case (long x, long y): return x == y;
            case (PySequence x, PySequence y):
                return ReferenceEquals(x, y)
                    || (x.IsTuple == y.IsTuple && x.Items.Count == y.Items.Count && x.Items.Zip(y.Items).All(pair => AreEqual(pair.First, pair.Second, depth + 1)));
            case (PyDict x, PyDict y):
                return ReferenceEquals(x, y)
                    || (x.Count == y.Count && x.Entries.All(entry => y.TryGet(entry.Key, out var other) && AreEqual(entry.Value, other, depth + 1)));
            case (Undefined, Undefined): return true;
        }
        if (PyTypes.AsInteger(a) is { } m && PyTypes.AsInteger(b) is { } n) return m == n;
        if (PyTypes.AsDouble(a) is { } p && PyTypes.AsDouble(b) is { } q) return p == q;
        return ReferenceEquals(a, b) && a is not null;
    }

    public static int HashOf(object? value) => value switch
    {
        null or Undefined => 0,
        string text => text.GetHashCode(StringComparison.Ordinal),
        PySequence tuple => tuple.Items.Aggregate(tuple.Items.Count, (hash, item) => HashCode.Combine(hash, HashOf(item))),
        _ => PyTypes.AsDouble(value)?.GetHashCode() ?? value.GetHashCode(),
    };

    /// <summary>Negative, zero or positive; fails for values without an order.</summary>
    public static int Order(object? a, object? b, string sign = "<", int depth = 0)
    {
        if (depth > MaxDepth) throw new TemplateError("maximum recursion depth exceeded in comparison");
        _ = (PyTypes.Defined(a), PyTypes.Defined(b));
        if (PyTypes.AsInteger(a) is { } m && PyTypes.AsInteger(b) is { } n) return m.CompareTo(n);
        if (PyTypes.AsDouble(a) is { } p && PyTypes.AsDouble(b) is { } q) return p.CompareTo(q);
        if (a is string x && b is string y) return CompareText(x, y);
        if (a is PySequence s && b is PySequence t && s.IsTuple == t.IsTuple)
        {
            foreach (var (first, second) in s.Items.Zip(t.Items))
            {
                if (!AreEqual(first, second)) return Order(first, second, sign, depth + 1);
            }
            return s.Items.Count.CompareTo(t.Items.Count);
        }
        throw new TemplateError($"'{sign}' not supported between instances of '{PyTypes.Name(a)}' and '{PyTypes.Name(b)}'");
    }

    public static bool Contains(object? container, object? item) => container switch
    {
        string text => item is string part
            ? text.Contains(part, StringComparison.Ordinal)
            : throw new TemplateError($"'in <string>' requires string as left operand, not {PyTypes.Name(PyTypes.Defined(item))}"),
        PySequence sequence => sequence.Items.Exists(member => AreEqual(member, item)),
        PyDict dict => dict.TryGet(item, out _),
        Undefined => false,
        _ => throw new TemplateError($"argument of type '{PyTypes.Name(container)}' is not iterable"),
    };

    /// <summary>By code point: UTF-16 order puts U+FFxx after the supplementary characters.</summary>
    private static int CompareText(string a, string b)
    {
        var common = a.AsSpan().CommonPrefixLength(b);
        if (common == a.Length || common == b.Length) return a.Length.CompareTo(b.Length);
        var (x, y) = (a[common], b[common]);
        return char.IsSurrogate(x) != char.IsSurrogate(y) ? (char.IsSurrogate(x) ? 1 : -1) : x.CompareTo(y);
    }
}
