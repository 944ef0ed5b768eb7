namespace NanoAspire.Hosting.Publishing.Manifest;

/// <summary>An <c>annotated.string</c>: the value of a parameter behind a filter.</summary>
internal sealed record EncodedString(string Name, ParameterResource Source, string Filter);
