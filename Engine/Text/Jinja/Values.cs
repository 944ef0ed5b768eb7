namespace NanoAspire.Engine.Text.Jinja;

// The values of a template: null (None), bool, long, BigInteger, double and string, and the types of this file.

/// <summary>What an unknown name or a missing member evaluates to: prints as nothing, is false, and fails when used for anything else.</summary>
internal sealed class Undefined(string message)
{
    public string Message => message;
}

/// <summary>A list or a tuple. A tuple's items are never changed.</summary>
internal class PySequence(List<object?> items, bool isTuple = false)
{
    public List<object?> Items => items;
    public bool IsTuple => isTuple;
}

/// <summary>One group of the groupby filter: the pair (grouper, list), also by name.</summary>
internal sealed class PyGroup(object? grouper, PySequence list) : PySequence([grouper, list], isTuple: true);

/// <summary>A dict: keeps the order of insertion and compares keys as Python does (1, 1.0 and True are one key).</summary>
internal sealed class PyDict
{
    private readonly OrderedDictionary<Key, (object? Key, object? Value)> _entries = [];

    public int Count => _entries.Count;

    public IEnumerable<(object? Key, object? Value)> Entries => _entries.Values;

    public bool TryGet(object? key, out object? value)
    {
        var found = _entries.TryGetValue(new Key(key), out var entry);
        value = entry.Value;
        return found;
    }

    public void Set(object? key, object? value)
    {
        var index = new Key(key);
        _entries[index] = (_entries.TryGetValue(index, out var old) ? old.Key : key, value);
    }

    public bool Remove(object? key) => _entries.Remove(new Key(key));

    public void Clear() => _entries.Clear();

    private readonly struct Key : IEquatable<Key>
    {
        private readonly object? _value;

        public Key(object? value)
        {
            if (value is PyDict or PySequence { IsTuple: false }) throw new TemplateError($"unhashable type: '{PyTypes.Name(value)}'");
            _value = value;
        }

        public bool Equals(Key other) => PyCompare.AreEqual(_value, other._value);

        public override bool Equals(object? obj) => obj is Key other && Equals(other);

        public override int GetHashCode() => PyCompare.HashOf(_value);
    }
}

/// <summary>namespace(): the one object whose attributes a template can set.</summary>
internal sealed class Namespace
{
    public Dictionary<string, object?> Attributes { get; } = [];
}

/// <summary>Anything a template can call.</summary>
internal interface ICallable
{
    object? Call(RenderContext context, Arguments arguments);
}

/// <summary>A function of the environment or a method taken from its object.</summary>
internal sealed class Function(string name, Func<RenderContext, Arguments, object?> body) : ICallable
{
    public string Name => name;

    public object? Call(RenderContext context, Arguments arguments) => body(context, arguments);
}
