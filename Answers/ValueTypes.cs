namespace NanoAspire.Answers;

/// <summary>JSON types that a tool's schema allows for a parameter.</summary>
[Flags]
internal enum ValueTypes
{
    /// <summary>The schema does not know the parameter.</summary>
    Undeclared = 0,
    String = 1,
    Integer = 2,
    Number = 4,
    Boolean = 8,
    Object = 16,
    Array = 32,
    Null = 64,
    /// <summary>Declared without a type.</summary>
    Any = 128,
}
