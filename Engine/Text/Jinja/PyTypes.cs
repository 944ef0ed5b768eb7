using System.Numerics;

namespace NanoAspire.Engine.Text.Jinja;

/// <summary>Python's view of the values: type names, truth, iteration.</summary>
internal static class PyTypes
{
    public static string Name(object? value) => value switch
    {
        null => "NoneType",
        bool => "bool",
        long or BigInteger => "int",
        double => "float",
        string => "str",
        PySequence { IsTuple: true } => "tuple",
        PySequence => "list",
        PyDict => "dict",
        Undefined => "Undefined",
        Namespace => "Namespace",
        LoopVariable => "LoopContext",
        Macro => "Macro",
        _ => "function",
    };

    /// <summary>How Jinja names an object in "… has no attribute …".</summary>
    public static string Describe(object? value) => value is null ? "None" : $"{Name(value)} object";

    public static bool IsTrue(object? value) => value switch
    {
        null => false,
        bool b => b,
        long n => n != 0,
        BigInteger n => !n.IsZero,
        double d => d != 0,
        string s => s.Length > 0,
        PySequence sequence => sequence.Items.Count > 0,
        PyDict dict => dict.Count > 0,
        Undefined => false,
        _ => true,
    };

    /// <summary>The items of an iteration: a copy, so that the body may change the original.</summary>
    public static List<object?> Iterate(RenderContext context, object? value)
    {
        List<object?> items = value switch
        {
            PySequence sequence => [.. sequence.Items],
            PyDict dict => [.. dict.Entries.Select(entry => entry.Key)],
            string text => [.. PyText.Characters(text)],
            Undefined => [],
            LoopVariable loop => [.. loop.Remaining()],
            _ => throw new TemplateError($"'{Name(value)}' object is not iterable"),
        };
        context.Spend(items.Count);
        return items;
    }

    public static bool IsIterable(object? value) => value is PySequence or PyDict or string or Undefined or LoopVariable;

    public static long Length(object? value) => value switch
    {
        string text => PyText.Length(text),
        PySequence sequence => sequence.Items.Count,
        PyDict dict => dict.Count,
        Undefined => 0,
        LoopVariable loop => loop.Length,
        _ => throw new TemplateError($"object of type '{Name(value)}' has no len()"),
    };

    /// <summary>A value that must fail when it is undefined.</summary>
    public static object? Defined(object? value) => value is Undefined undefined ? throw new TemplateError(undefined.Message) : value;

    /// <summary>An int that counts or indexes something.</summary>
    public static long ToIndex(object? value, string what) => Defined(value) switch
    {
        bool b => b ? 1 : 0,
        long n => n,
        _ => throw new TemplateError($"{what} must be an integer, not {Name(value)}"),
    };

    public static BigInteger? AsInteger(object? value) => value switch
    {
        bool b => b ? 1 : 0,
        long n => n,
        BigInteger n => n,
        _ => null,
    };

    public static double? AsDouble(object? value) => value is double d ? d : AsInteger(value) is { } n ? (double)n : null;

    /// <summary>An int as a long where it fits.</summary>
    public static object FromInteger(BigInteger value) => value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value;
}
