using System.Numerics;

namespace NanoAspire.Engine.Text.Jinja;

/// <summary>The tests by name: x is defined, x is divisibleby 3.</summary>
internal static class Tests
{
    public static bool Apply(string name, object? value, Arguments arguments)
    {
        var result = name switch
        {
            "defined" => value is not Undefined,
            "undefined" => value is Undefined,
            "none" => value is null,
            "boolean" => value is bool,
            "true" => value is true,
            "false" => value is false,
            "string" => value is string,
            "number" => value is bool or long or BigInteger or double,
            "integer" => value is long or BigInteger,
            "float" => value is double,
            "mapping" => value is PyDict,
            "sequence" => value is string or PySequence or PyDict or Undefined,
            "iterable" => PyTypes.IsIterable(value),
            "callable" => value is ICallable,
            "escaped" => false,
            "lower" => value is string text && StringMethods.IsLower(text),
            "upper" => value is string text && StringMethods.IsUpper(text),
            "odd" => IsMultiple(value, 2L, remainder: 1),
            "even" => IsMultiple(value, 2L, remainder: 0),
            "divisibleby" => IsMultiple(value, arguments.Take("num"), remainder: 0),
            "in" => PyCompare.Contains(arguments.Take("seq"), value),
            "sameas" => arguments.Take("other") is var other && (ReferenceEquals(value, other) || (PyTypes.Name(value) == PyTypes.Name(other) && value is null or bool or long && Equals(value, other))),
            "eq" or "equalto" or "==" => PyOperators.Compare("==", value, arguments.Take("other")),
            "ne" or "!=" => PyOperators.Compare("!=", value, arguments.Take("other")),
            "lt" or "lessthan" or "<" => PyOperators.Compare("<", value, arguments.Take("other")),
            "le" or "<=" => PyOperators.Compare("<=", value, arguments.Take("other")),
            "gt" or "greaterthan" or ">" => PyOperators.Compare(">", value, arguments.Take("other")),
            "ge" or ">=" => PyOperators.Compare(">=", value, arguments.Take("other")),
            _ => throw new TemplateError($"no test named '{name}'"),
        };
        arguments.End();
        return result;
    }

    private static bool IsMultiple(object? value, object? divisor, long remainder) =>
        PyOperators.Compare("==", PyNumbers.Calculate("%", value, divisor), remainder);
}
