namespace NanoAspire.Hosting.Model;

internal sealed class DisableForwardedHeadersAnnotation : IResourceAnnotation;
