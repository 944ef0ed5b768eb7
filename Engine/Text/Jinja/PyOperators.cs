using System.Text;

namespace NanoAspire.Engine.Text.Jinja;

/// <summary>The binary operators and comparisons.</summary>
internal static class PyOperators
{
    public static object? Apply(RenderContext context, string op, object? left, object? right) => (op, left, right) switch
    {
        ("+", string a, string b) => context.Made(a + b),
        ("+", string, not Undefined) => throw new TemplateError($"can only concatenate str (not \"{PyTypes.Name(right)}\") to str"),
        ("+", PySequence a, PySequence b) when a.IsTuple == b.IsTuple => new PySequence([.. a.Items, .. b.Items], a.IsTuple),
        ("*", string or PySequence, long or bool) => Repeat(context, left!, PyTypes.ToIndex(right, "a count")),
        ("*", long or bool, string or PySequence) => Repeat(context, right!, PyTypes.ToIndex(left, "a count")),
        ("%", string format, _) => PercentFormat.Format(context, format, right is PySequence { IsTuple: true } tuple ? tuple.Items : [right], right as PyDict),
        _ => PyNumbers.Calculate(op, left, right),
    };

    public static bool Compare(string op, object? left, object? right) => op switch
    {
        "==" => PyCompare.AreEqual(left, right),
        "!=" => !PyCompare.AreEqual(left, right),
        "in" => PyCompare.Contains(right, left),
        "not in" => !PyCompare.Contains(right, left),
        "<" => !IsNaN(left, right) && PyCompare.Order(left, right, op) < 0,
        "<=" => !IsNaN(left, right) && PyCompare.Order(left, right, op) <= 0,
        ">" => !IsNaN(left, right) && PyCompare.Order(left, right, op) > 0,
        _ => !IsNaN(left, right) && PyCompare.Order(left, right, op) >= 0,
    };

    private static bool IsNaN(object? left, object? right) => left is double.NaN || right is double.NaN;

    private static object Repeat(RenderContext context, object value, long count)
    {
        count = Math.Max(count, 0);
        if (value is string text)
        {
            if (text.Length == 0) return "";
            context.CheckSize(count > int.MaxValue ? long.MaxValue : count * text.Length);
            return context.Made(new StringBuilder().Insert(0, text, (int)count).ToString());
        }
        var sequence = (PySequence)value;
        if (sequence.Items.Count == 0) return new PySequence([], sequence.IsTuple);
        context.Spend((int)Math.Min((decimal)count * sequence.Items.Count, int.MaxValue));
        return new PySequence([.. Enumerable.Repeat(sequence.Items, (int)count).SelectMany(items => items)], sequence.IsTuple);
    }
}
