namespace NanoAspire.Engine.Text.Grammar.Schemas;

[Flags]
internal enum SchemaTypes
{
    None = 0,
    Null = 1,
    Boolean = 2,
    Integer = 4,
    /// <summary>Includes <see cref="Integer"/> in meaning; a set has both bits then.</summary>
    Number = 8,
    String = 16,
    Array = 32,
    Object = 64,
    All = 127,
}
