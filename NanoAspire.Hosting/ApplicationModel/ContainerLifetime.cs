namespace Aspire.Hosting.ApplicationModel;

/// <summary>How long a container lives: as long as the application, or until somebody removes it.</summary>
public enum ContainerLifetime
{
    Session = 0,
    Persistent = 1,
}
