using Aspire.Hosting.Publishing;

namespace NanoAspire.Hosting.Publishing.Manifest;

/// <summary>The entries of everything but containers.</summary>
internal static class ResourceManifests
{
    public static async Task WriteProjectAsync(ManifestPublishingContext context, ProjectResource project)
    {
        context.Writer.WriteString("type", project.HasAnnotationOfType<DeploymentTargetAnnotation>() ? "project.v1" : "project.v0");
        context.Writer.WriteString("path", context.GetManifestRelativePath(project.GetProjectMetadata().ProjectPath));
        await context.WriteCommandLineArgumentsAsync(project).ConfigureAwait(false);
        await context.WriteEnvironmentVariablesAsync(project).ConfigureAwait(false);
        context.WriteBindings(project);
    }

    public static async Task WriteExecutableAsync(ManifestPublishingContext context, ExecutableResource executable)
    {
        context.Writer.WriteString("type", "executable.v0");
        context.Writer.WriteString("workingDirectory", context.GetManifestRelativePath(executable.WorkingDirectory));
        context.Writer.WriteString("command", executable.Command);
        await context.WriteCommandLineArgumentsAsync(executable).ConfigureAwait(false);
        await context.WriteEnvironmentVariablesAsync(executable).ConfigureAwait(false);
        context.WriteBindings(executable);
    }

    /// <summary>A parameter is an input of the deployment; one that holds a connection string is also read as such.</summary>
    public static void WriteParameter(ManifestPublishingContext context, ParameterResource parameter)
    {
        var writer = context.Writer;
        writer.WriteString("type", "parameter.v0");
        if (parameter is IResourceWithConnectionString) writer.WriteString("connectionString", $"{{{parameter.Name}.value}}");
        writer.WriteString("value", $"{{{parameter.Name}.inputs.value}}");
        writer.WriteStartObject("inputs");
        writer.WriteStartObject("value");
        writer.WriteString("type", "string");
        if (parameter.Secret) writer.WriteBoolean("secret", true);
        if (parameter.Default is { } value)
        {
            writer.WriteStartObject("default");
            value.WriteToManifest(context);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>A connection string that is made of other parts of the model.</summary>
    public static void WriteValue(ManifestPublishingContext context, IResource resource)
    {
        context.Writer.WriteString("type", "value.v0");
        context.WriteConnectionString(resource);
    }

    public static void WriteEncodedString(ManifestPublishingContext context, EncodedString encoded)
    {
        context.Writer.WriteStartObject(encoded.Name);
        context.Writer.WriteString("type", "annotated.string");
        context.Writer.WriteString("value", encoded.Source.ValueExpression);
        context.Writer.WriteString("filter", encoded.Filter);
        context.Writer.WriteEndObject();
    }
}
