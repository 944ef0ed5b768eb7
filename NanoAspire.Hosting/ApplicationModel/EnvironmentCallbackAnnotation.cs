namespace Aspire.Hosting.ApplicationModel;

/// <summary>Adds to or changes the environment when a resource starts or is published; callbacks run in the order of the annotations.</summary>
public class EnvironmentCallbackAnnotation : IResourceAnnotation
{
    public EnvironmentCallbackAnnotation(string name, Func<string> callback) : this(context =>
    {
        context.EnvironmentVariables[name] = callback();
        return Task.CompletedTask;
    }) => Name = name;

    public EnvironmentCallbackAnnotation(Action<Dictionary<string, object>> callback) : this(context => callback(context.EnvironmentVariables))
    {
    }

    public EnvironmentCallbackAnnotation(Action<EnvironmentCallbackContext> callback) : this(context =>
    {
        callback(context);
        return Task.CompletedTask;
    })
    {
    }

    public EnvironmentCallbackAnnotation(Func<EnvironmentCallbackContext, Task> callback) => Callback = callback;

    public Func<EnvironmentCallbackContext, Task> Callback { get; }
    internal string? Name { get; }
}
